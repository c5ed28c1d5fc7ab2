package msgraph

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// renewBefore is how long before its end a token is replaced, so that none ends on
// its way; short-lived ones are kept for four fifths of their life.
const renewBefore = 5 * time.Minute

// newTokens keeps the source's token and asks for the next when it is due.
func newTokens(ask func(context.Context) (azcore.AccessToken, error), now func() time.Time) *httpclient.Tokens {
	return httpclient.NewTokens(httpclient.TokensSettings{
		Ask: func(ctx context.Context) (httpclient.Token, error) {
			got, err := ask(ctx)
			return httpclient.Token{Value: got.Token, Expires: got.ExpiresOn}, err
		},
		RenewBefore: renewBefore,
		Now:         now,
	})
}
