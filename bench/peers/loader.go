package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// loaderVariable, when set, makes this program the loader of the PostgreSQL peer. It is a separate
// process, so that its processor time can be measured.
const loaderVariable = "PEER_LOADER"

// loaded is what the loader reads of a row.
type loaded struct {
	ID         string    `json:"id"`
	Start      time.Time `json:"startDateTime"`
	CallType   string    `json:"callType"`
	Successful bool      `json:"successfulCall"`
	SIPCode    int       `json:"finalSipCode"`
	SubCode    int       `json:"callEndSubReason"`
	Trunk      string    `json:"trunkFullyQualifiedDomainName"`
	Duration   int       `json:"duration"`
}

var columns = []string{"id", "start", "call_type", "successful", "sip_code", "sub_code", "trunk", "duration"}

// load is the main function of the loader: it reads page after page from a provider into PostgreSQL, until there are no
// more. Each page is a transaction, which ignores the rows that the table has.
func load(ctx context.Context, args []string, _ io.Writer) error {
	base, caFile, dsn := args[0], args[1], args[2]
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	for {
		var page struct {
			Value []loaded `json:"value"`
		}
		err := getJSON(ctx, client, base+"/next", &page)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && len(page.Value) > 0 {
			err = insert(ctx, conn, page.Value)
		}
		if err != nil {
			return err
		}
	}
}

// getJSON reads an answer; if it has no content, as after the last page, it returns io.EOF.
func getJSON(ctx context.Context, client *http.Client, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusNoContent:
		return io.EOF
	case http.StatusOK:
	default:
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func insert(ctx context.Context, conn *pgx.Conn, rows []loaded) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"staging"}, columns,
			pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
				r := &rows[i]
				return []any{r.ID, r.Start, r.CallType, r.Successful, r.SIPCode, r.SubCode, r.Trunk, r.Duration}, nil
			}))
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO calls SELECT * FROM staging ON CONFLICT DO NOTHING")
		}
		if err == nil {
			_, err = tx.Exec(ctx, "TRUNCATE staging")
		}
		return err
	})
}
