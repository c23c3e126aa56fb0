// Verifies a log with Go's own packages for transparency logs, golang.org/x/mod/sumdb, from nothing but its origin:
//
//	verify <url of the log> <origin> <oracle's vkey> <index of a reading>
//
// Checkpoint with both signatures, every tile and every reading under it, and the proof of one reading as a file.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height     = 8
	deviceType = "\xffWattWitness/1 head"
	// of the text before the checkpoint in a proof
	proofVersion = "c2sp.org/tlog-proof@v1"
)

func main() {
	if len(os.Args) != 5 {
		fail(errors.New("usage: verify <url of the log> <origin> <oracle's vkey> <index>"))
	}
	index, err := strconv.ParseInt(os.Args[4], 10, 64)
	if err != nil {
		fail(err)
	}
	if err := verify(os.Args[1], os.Args[2], os.Args[3], index); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Println("refused:", err)
	os.Exit(1)
}

func verify(url, origin, vkey string, index int64) error {
	verifiers, err := verifiersOf(url, origin, vkey)
	if err != nil {
		return err
	}
	checkpoint, err := get(url + "/checkpoint")
	if err != nil {
		return err
	}
	tree, err := open(checkpoint, origin, verifiers)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	readings, hashes, err := checkReadings(url, tree)
	if err != nil {
		return fmt.Errorf("readings: %w", err)
	}
	tiles, err := checkTiles(url, tree, hashes)
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	proven, err := checkProof(url, origin, index, verifiers)
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	if !bytes.Equal(proven, readings[index]) {
		return errors.New("proof: it is another reading's")
	}
	fmt.Printf("verified %d readings, %d tiles\n", tree.N, tiles)
	return nil
}

// The oracle's is told; the device's is whose hash is in the origin.
func verifiersOf(url, origin, vkey string) (note.Verifiers, error) {
	oracle, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	text, err := get(url + "/vkeys")
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(strings.SplitN(string(text), "\n", 2)[0], "+", 3)
	if len(parts) != 3 || parts[0] != origin {
		return nil, errors.New("vkeys: not of this origin")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || !strings.HasPrefix(string(key), deviceType) || len(key) != len(deviceType)+64 {
		return nil, errors.New("vkeys: no device's key")
	}
	device, err := newDeviceVerifier(origin, key)
	if err != nil {
		return nil, err
	}
	return note.VerifierList(oracle, device), nil
}

// A verifier of heads as devices sign them: it rebuilds the 108 bytes from the text and what the signature carries.
type deviceVerifier struct {
	origin string
	hash   uint32
	domain [32]byte
	epoch  uint32
	key    ecdsa.PublicKey
}

func newDeviceVerifier(origin string, key []byte) (*deviceVerifier, error) {
	parts := strings.Split(origin, "/")
	if len(parts) != 5 || parts[0] != "wattwitness" {
		return nil, errors.New("no origin of WattWitness")
	}
	chain, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return nil, err
	}
	registry, err := hex.DecodeString(strings.TrimPrefix(parts[2], "0x"))
	if err != nil {
		return nil, err
	}
	epoch, err := strconv.ParseUint(parts[4], 10, 32)
	if err != nil {
		return nil, err
	}
	public := key[len(deviceType):]
	keyID := sha256.Sum256(public)
	if "0x"+hex.EncodeToString(keyID[:]) != parts[3] {
		return nil, errors.New("the device's key is not the origin's")
	}
	kind := append([]byte("WattWitness/1 head"), binary.BigEndian.AppendUint64(nil, chain)...)
	hash := sha256.Sum256(append([]byte(origin+"\n"), key...))
	return &deviceVerifier{
		origin: origin,
		hash:   binary.BigEndian.Uint32(hash[:4]),
		domain: sha256.Sum256(append(kind, registry...)),
		epoch:  uint32(epoch),
		key: ecdsa.PublicKey{
			Curve: elliptic.P256(),
			X:     new(big.Int).SetBytes(public[:32]),
			Y:     new(big.Int).SetBytes(public[32:]),
		},
	}, nil
}

func (v *deviceVerifier) Name() string    { return v.origin }
func (v *deviceVerifier) KeyHash() uint32 { return v.hash }

func (v *deviceVerifier) Verify(text, signature []byte) bool {
	tree, err := treeIn(string(text), v.origin)
	if err != nil || len(signature) != 96 {
		return false
	}
	head := append([]byte{}, v.domain[:]...)
	head = binary.BigEndian.AppendUint32(head, v.epoch)
	head = binary.BigEndian.AppendUint64(head, uint64(tree.N))
	head = append(head, signature[:32]...)
	head = append(head, tree.Hash[:]...)
	hash := sha256.Sum256(head)
	r, s := new(big.Int).SetBytes(signature[32:64]), new(big.Int).SetBytes(signature[64:])
	isLow := s.Cmp(new(big.Int).Rsh(v.key.Curve.Params().N, 1)) <= 0
	return isLow && ecdsa.Verify(&v.key, hash[:], r, s)
}

// The tree of a checkpoint that both device and oracle signed.
func open(checkpoint []byte, origin string, verifiers note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open(checkpoint, verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != 2 {
		return tlog.Tree{}, errors.New("device and oracle have not both signed it")
	}
	return treeIn(opened.Text, origin)
}

func treeIn(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("no size")
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// The hashes of a tree, at the places where sumdb/tlog stores them.
type stored []tlog.Hash

func (hashes stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(hashes)) {
			return nil, errors.New("no such hash")
		}
		found[i] = hashes[index]
	}
	return found, nil
}

// Every reading, and the hashes over them, whose root is the checkpoint's.
func checkReadings(url string, tree tlog.Tree) ([][]byte, stored, error) {
	readings := [][]byte{}
	hashes := stored{}
	for first := int64(0); first < tree.N; first += 1 << height {
		width := tree.N - first
		if width > 1<<height {
			width = 1 << height
		}
		bundle, err := get(url + "/" + pathOf("entries", first>>height, int(width)))
		if err != nil {
			return nil, nil, err
		}
		for ; len(bundle) > 0; bundle = bundle[34:] {
			if len(bundle) < 34 || binary.BigEndian.Uint16(bundle) != 32 {
				return nil, nil, errors.New("no bundle of readings")
			}
			more, err := tlog.StoredHashes(int64(len(readings)), bundle[2:34], hashes)
			if err != nil {
				return nil, nil, err
			}
			hashes = append(hashes, more...)
			readings = append(readings, bundle[2:34])
		}
		if int64(len(readings)) != first+width {
			return nil, nil, errors.New("a bundle has another width")
		}
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err == nil && root != tree.Hash {
		err = errors.New("their root is another")
	}
	return readings, hashes, err
}

// How many tiles there are, each of which has the hashes that belong in it.
func checkTiles(url string, tree tlog.Tree, hashes stored) (int, error) {
	tiles := tlog.NewTiles(height, 0, tree.N)
	for _, tile := range tiles {
		served, err := get(url + "/" + pathOf(strconv.Itoa(tile.L), tile.N, tile.W))
		if err != nil {
			return 0, err
		}
		expected, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(served, expected) {
			return 0, fmt.Errorf("%s has other hashes", tile.Path())
		}
	}
	return len(tiles), nil
}

// The reading that a proof is about.
func checkProof(url, origin string, index int64, verifiers note.Verifiers) ([]byte, error) {
	file, err := get(fmt.Sprintf("%s/%d.tlog-proof", url, index))
	if err != nil {
		return nil, err
	}
	parts := bytes.SplitN(file, []byte("\n\n"), 2)
	if len(parts) != 2 {
		return nil, errors.New("no checkpoint")
	}
	tree, err := open(parts[1], origin, verifiers)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(parts[0]), "\n")
	if len(lines) < 3 || lines[0] != proofVersion || lines[2] != fmt.Sprintf("index %d", index) {
		return nil, errors.New("no proof of this reading")
	}
	reading, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return nil, err
	}
	proof := tlog.RecordProof{}
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		proof = append(proof, hash)
	}
	return reading, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(reading))
}

// Go's own paths name the height, too: tile/8/<level>/…
func pathOf(level string, index int64, width int) string {
	path := tlog.Tile{H: height, L: 0, N: index, W: width}.Path()
	return "tile/" + level + strings.TrimPrefix(path, "tile/8/0")
}

func get(url string) ([]byte, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}
