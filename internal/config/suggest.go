package config

import (
	"slices"
	"strings"
)

// unknownKey words the problem of a key that is not known among the known ones.
func unknownKey(key string, known []string) string {
	if near := nearest(key, known); near != "" {
		return "unknown key; did you mean " + near + "?"
	}
	sorted := slices.Sorted(slices.Values(known))
	return "unknown key; the keys here are " + strings.Join(sorted, ", ")
}

// nearest returns the known word that the given one was probably meant to be,
// empty if none is near.
func nearest(word string, known []string) string {
	if len(word) > maxShown {
		return ""
	}
	best, bestDistance := "", min(len(word)/3+1, 3)+1
	for _, k := range known {
		if d := distance(normal(word), normal(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// normal removes what is often confused in keys: case, dashes and underscores.
func normal(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
}

// distance is the number of single-byte insertions, deletions and substitutions
// that turn one word into the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
