package web

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Refusals says where a refused answer has the provider's own reason, and what the reasons mean.
type Refusals struct {
	Code   language.Value `yaml:"code"`
	Name   language.Value `yaml:"name"`
	Detail language.Value `yaml:"detail"`
	// Meanings are by code, by name, by status, or token for any refusal of a token.
	Meanings map[string]Meaning `yaml:"meanings"`
}

// Meaning explains an error. In its texts, {detail} and {detail|OTHERWISE} are the answer's detail.
type Meaning struct {
	What string `yaml:"what"`
	Todo string `yaml:"todo"`
}

// refusedToken is the key of meanings for a token that was refused without another meaning.
const refusedToken = "token"

var detailIn = regexp.MustCompile(`\{detail(?:\|([^}]*))?\}`)

func (m *Meaning) fill(text, detail string) string {
	return detailIn.ReplaceAllStringFunc(text, func(found string) string {
		if detail != "" {
			return detail
		}
		return detailIn.FindStringSubmatch(found)[1]
	})
}

// Validate implements config.Validator.
func (s *Refusals) Validate(r *config.Report) {
	for code, m := range s.Meanings {
		if m.What == "" || m.Todo == "" {
			r.Problemf(config.KeyPath("meanings", code), "needs what, the meaning, and todo, the remedy")
		}
	}
}

// refusal is the provider's own reason.
type refusal struct{ code, name, detail string }

// plainReason matches codes and names. No other text of an answer is shown.
var plainReason = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$`)

// read reads a refused answer. An answer that isn't the provider's gives an empty refusal.
func (s *Refusals) read(answer []byte) (found refusal) {
	r, is := objectIn(answer)
	if !is {
		return found
	}
	read := func(v *language.Value) string {
		found := language.Read(&r, v, func(g *language.Result) (string, string) {
			if !plainReason.MatchString(g.Text) {
				return "", language.NoValue
			}
			return cdr.HideNumbers(strings.Clone(g.Text)), ""
		})
		return found.Value
	}
	return refusal{read(&s.Code), read(&s.Name), read(&s.Detail)}
}

// quote is what an error repeats of a refused answer.
func (s *Refusals) quote(title string, answer []byte) string {
	r := s.read(answer)
	if r.code+r.name == "" {
		return ""
	}
	text := title + " says " + strings.TrimSpace(r.code+" "+r.name)
	if r.detail != "" {
		text += " (" + r.detail + ")"
	}
	return text
}

// meaning is what a refused request means. For a token the code comes before the name, because the
// names of OAuth are less specific; otherwise the name comes first.
func (s *Refusals) meaning(request *httpclient.Error, forToken bool) (m Meaning, detail string, known bool) {
	r := s.read(request.Body)
	keys := []string{r.name, r.code, strconv.Itoa(request.Status)}
	refused := []httpclient.Kind{httpclient.KindBadRequest, httpclient.KindUnauthorized, httpclient.KindForbidden}
	if forToken {
		keys = []string{r.code, r.name}
		if slices.Contains(refused, request.Kind) {
			keys = append(keys, refusedToken)
		}
	}
	for _, key := range keys {
		if m, known = s.Meanings[key]; known && key != "" {
			return m, r.detail, true
		}
	}
	return m, "", false
}

// advise explains an error by the definition's meanings.
func (s *Refusals) advise(err error) (what, todo string, known bool) {
	request, forToken := advice.LastRequest(err)
	if request == nil {
		return "", "", false
	}
	m, detail, known := s.meaning(request, forToken)
	return m.fill(m.What, detail) + " (" + err.Error() + ")", m.fill(m.Todo, detail), known
}
