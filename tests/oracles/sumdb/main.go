// Command sumdb answers one JSON question about a log with golang.org/x/mod/sumdb, the
// code behind Go's own checksum database, so that the tests need not trust ours.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type span struct {
	From int64 `json:"from"` // a leaf's index, or the smaller size
	Size int64 `json:"size"`
}

type question struct {
	VerifierKey string   `json:"verifierKey"`
	Note        string   `json:"note"`
	Witness     string   `json:"witness"` // who has to have cosigned Note as well
	Seed        []byte   `json:"seed"`    // signs SignName's note over Text
	SignName    string   `json:"signName"`
	Text        string   `json:"text"`
	Entries     [][]byte `json:"entries"`
	Inclusion   []span   `json:"inclusion"`
	Consistency []span   `json:"consistency"`
	// Proofs to check, in the order of Inclusion and then of Consistency.
	Proofs [][]string `json:"proofs"`
}

// witness verifies cosignature/v1, for which the note package has the lines alone.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func newWitness(text string) *witness {
	parts := strings.SplitN(text, "+", 3)
	raw := must(base64.StdEncoding.DecodeString(parts[2]))
	if raw[0] != 4 || len(raw) != 33 {
		log.Fatal("not a cosignature/v1 key")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if hex.EncodeToString(id[:4]) != parts[1] {
		log.Fatal("another key id")
	}
	return &witness{parts[0], binary.BigEndian.Uint32(id[:4]), raw[1:], 0}
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }
func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	w.time = binary.BigEndian.Uint64(signature)
	signed := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", w.time)), text...)
	return ed25519.Verify(w.key, signed, signature[8:])
}

type answer struct {
	Opened    string     `json:"opened"`
	Cosigned  uint64     `json:"cosigned"` // when, in seconds
	Signed    string     `json:"signed"`
	SignerKey string     `json:"signerKey"`
	Roots     []string   `json:"roots"` // of every size from 0
	Proofs    [][]string `json:"proofs"`
	Tiles     []string   `json:"tiles"` // paths that the whole tree adds to the empty one
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func encode(hashes []tlog.Hash) []string {
	texts := []string{}
	for _, hash := range hashes {
		texts = append(texts, hash.String())
	}
	return texts
}

func decode(texts []string) []tlog.Hash {
	hashes := []tlog.Hash{}
	for _, text := range texts {
		hashes = append(hashes, must(tlog.ParseHash(text)))
	}
	return hashes
}

// signerKey returns the private and the public key text that Go's note package reads.
func signerKey(name string, seed []byte) (string, string) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	verifier := must(note.NewEd25519VerifierKey(name, public))
	id := strings.Split(verifier, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	return fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, id, secret), verifier
}

func main() {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		log.Fatal(err)
	}
	var a answer
	if q.Note != "" {
		verifier := must(note.NewVerifier(q.VerifierKey))
		known := []note.Verifier{verifier}
		var cosigner *witness
		if q.Witness != "" {
			cosigner = newWitness(q.Witness)
			known = append(known, cosigner)
		}
		opened := must(note.Open([]byte(q.Note), note.VerifierList(known...)))
		if len(opened.Sigs) != len(known) {
			log.Fatal("not signed by all")
		}
		a.Opened = opened.Text
		if cosigner != nil {
			a.Cosigned = cosigner.time
		}
	}
	if len(q.Seed) != 0 {
		private, public := signerKey(q.SignName, q.Seed)
		signer := must(note.NewSigner(private))
		a.Signed = string(must(note.Sign(&note.Note{Text: q.Text}, signer)))
		a.SignerKey = public
	}
	answerTree(&q, &a)
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		log.Fatal(err)
	}
}

func answerTree(q *question, a *answer) {
	stored := []tlog.Hash{}
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := []tlog.Hash{}
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	roots := []tlog.Hash{must(tlog.TreeHash(0, reader))}
	for number, entry := range q.Entries {
		stored = append(stored, must(tlog.StoredHashes(int64(number), entry, reader))...)
		roots = append(roots, must(tlog.TreeHash(int64(number)+1, reader)))
	}
	a.Roots = encode(roots)
	for _, tile := range tlog.NewTiles(8, 0, int64(len(q.Entries))) {
		a.Tiles = append(a.Tiles, tile.Path())
	}
	for _, s := range q.Inclusion {
		a.Proofs = append(a.Proofs, encode(must(tlog.ProveRecord(s.Size, s.From, reader))))
	}
	for _, s := range q.Consistency {
		a.Proofs = append(a.Proofs, encode(must(tlog.ProveTree(s.Size, s.From, reader))))
	}
	for number, texts := range q.Proofs {
		var err error
		if number < len(q.Inclusion) {
			s := q.Inclusion[number]
			leaf := tlog.RecordHash(q.Entries[s.From])
			err = tlog.CheckRecord(decode(texts), s.Size, roots[s.Size], s.From, leaf)
		} else {
			s := q.Consistency[number-len(q.Inclusion)]
			err = tlog.CheckTree(decode(texts), s.Size, roots[s.Size], s.From, roots[s.From])
		}
		if err != nil {
			log.Fatal(fmt.Errorf("proof %d: %w", number, err))
		}
	}
}
