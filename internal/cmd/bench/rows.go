package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh/agent"
)

// program is one of those compared.
type program struct {
	name     string
	argv     func(w *world, host string) []string
	installs bool
}

var (
	quick = program{"ours, --no-verify", func(w *world, host string) []string {
		return []string{w.set.binary, "--no-verify", "-F", w.path("config"), "-i", w.path("key"), host}
	}, true}
	verified = program{"ours", func(w *world, host string) []string {
		return []string{w.set.binary, "-F", w.path("config"), "-i", w.path("key"), host}
	}, true}
	stock = program{"stock script", func(w *world, host string) []string {
		return []string{w.set.stock, "-F", w.path("config"), "-i", w.path("key.pub"), host}
	}, true}
	plain = program{"ssh host true", func(w *world, host string) []string {
		return []string{"ssh", "-F", w.path("config"), "-i", w.path("key"), host, "true"}
	}, false}
)

// programs are those that can run here.
func (w *world) programs() []program {
	list := []program{quick, verified}
	if _, err := exec.LookPath("ssh"); err == nil {
		list = append(list, plain)
		if w.set.stock != "" {
			list = append(list, stock)
		}
	}
	return list
}

// alternate runs each program once a round, each round beginning with another,
// on an account that has no key.
func (w *world) alternate(ctx context.Context, host string, rounds int) (map[string]series, error) {
	list := w.programs()
	all := make(map[string]series)
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "bench: %s, round %d of %d\n", host, round+1, rounds)
		for i := range list {
			p := list[(round+i)%len(list)]
			if err := w.reset(); err != nil {
				return nil, err
			}
			s := w.measure(ctx, nil, p.argv(w, host)...)
			if s.err == nil && p.installs {
				s.err = w.holds(w.line)
			}
			if s.err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", p.name, s.err, s.output)
			}
			all[p.name] = append(all[p.name], s)
		}
	}
	return all, nil
}

// connections counts them, in one round of their own.
func connections(ctx context.Context, w *world, t *table) error {
	all, err := w.alternate(ctx, near, 1)
	if err != nil {
		return err
	}
	n := all[quick.name].connections()
	text := fmt.Sprintf("%d; with verification %d", n, all[verified.name].connections())
	if s, ok := all[stock.name]; ok {
		text += fmt.Sprintf("; stock script %d", s.connections())
	}
	t.judge("TCP connections for an install with `--no-verify`", text, "1", n == 1)
	return nil
}

func loopback(ctx context.Context, w *world, t *table) error {
	all, err := w.alternate(ctx, near, w.set.near)
	if err != nil {
		return err
	}
	compare(t, "on loopback", all, 0.8, 3.5, 2.5)
	text := seconds(all[quick.name].cpu()) + "; with verification " + seconds(all[verified.name].cpu())
	if s, ok := all[stock.name]; ok {
		text += "; stock script " + seconds(s.cpu())
	}
	t.add("client CPU of an install", text)
	return nil
}

func distant(ctx context.Context, w *world, t *table) error {
	all, err := w.alternate(ctx, far, w.set.far)
	if err != nil {
		return err
	}
	compare(t, "at 50 ms", all, 1.0, 2.5, 1.8)
	return nil
}

// compare puts the rows of one place: times, and ratios against their goals.
func compare(t *table, where string, all map[string]series, plainGoal, stockGoal, verifiedGoal float64) {
	ours, checked := all[quick.name], all[verified.name]
	text := seconds(ours.wall()) + "; with verification " + seconds(checked.wall())
	if s, ok := all[stock.name]; ok {
		text += "; stock script " + seconds(s.wall())
	}
	if s, ok := all[plain.name]; ok {
		text += "; one `ssh host true` " + seconds(s.wall())
	}
	t.add("install "+where+", `--no-verify`", text)
	if s, ok := all[plain.name]; ok {
		r := ours.ratio(s)
		t.judge("… against one `ssh host true` with the same password", times(r), "≤ "+times(plainGoal), r <= plainGoal)
	}
	if s, ok := all[stock.name]; ok {
		r := s.ratio(ours)
		t.judge("… faster than the stock script", times(r), "≥ "+times(stockGoal), r >= stockGoal)
		r = s.ratio(checked)
		t.judge("… with verification", times(r), "≥ "+times(verifiedGoal), r >= verifiedGoal)
	}
}

// manyKeys installs every key of a full agent. MaxAuthTries of the server is
// its default, 6.
func manyKeys(ctx context.Context, w *world, t *table) error {
	env := []string{"SSH_AUTH_SOCK=" + w.agent.Socket()}
	keys, err := w.agent.List()
	if err != nil {
		return err
	}
	var lines [][]byte
	for _, k := range keys {
		lines = append(lines, agentLine(k))
	}
	try := func(program string) string {
		if err := w.reset(); err != nil {
			return err.Error()
		}
		before := w.server.penalties()
		s := w.measure(ctx, env, program, "-F", w.path("config"), near)
		if s.err == nil {
			s.err = w.holds(lines...)
		}
		result := "works"
		if s.err != nil {
			result = "fails"
		}
		return fmt.Sprintf("%s, %d connections, %d penalties", result, s.connections, w.server.penalties()-before)
	}
	ours := try(w.set.binary)
	text := ours
	if w.set.stock != "" {
		text += "; stock script " + try(w.set.stock)
	}
	t.judge(fmt.Sprintf("%d keys in the agent", w.set.agent), text, "works, no penalty",
		strings.HasPrefix(ours, "works") && strings.HasSuffix(ours, " 0 penalties"))
	return nil
}

func agentLine(k *agent.Key) []byte {
	return []byte(k.Format + " " + base64.StdEncoding.EncodeToString(k.Blob))
}

// longFile compares an empty authorized_keys with a long one. The server has
// to read the file too when it is asked about a key: what that takes shows in
// the plain login beside it.
func longFile(ctx context.Context, w *world, t *table) error {
	var empty, long, plainEmpty, plainLong series
	var resident int64
	for round := range w.set.far {
		fmt.Fprintf(os.Stderr, "bench: long file, round %d of %d\n", round+1, w.set.far)
		for _, lines := range []int{0, w.set.lines} {
			if err := w.reset(); err != nil {
				return err
			}
			size, err := w.writeKeys(lines)
			if err != nil {
				return err
			}
			login := w.measure(ctx, nil, plain.argv(w, near)...)
			s := w.measure(ctx, nil, quick.argv(w, near)...)
			if s.err == nil {
				s.err = w.endsWith(size, w.line)
			}
			if s.err != nil {
				return fmt.Errorf("%d lines: %w\n%s", lines, s.err, s.output)
			}
			if lines == 0 {
				empty, plainEmpty = append(empty, s), append(plainEmpty, login)
			} else {
				long, plainLong = append(long, s), append(plainLong, login)
				resident = max(resident, s.resident)
			}
		}
	}
	r := long.ratio(empty)
	text := fmt.Sprintf("%s against %s: %s, %.0f MiB", seconds(long.wall()), seconds(empty.wall()), times(r), float64(resident)/(1<<20))
	if plainLong[0].err == nil {
		text += fmt.Sprintf("; it adds %s to an install, and %s to one `ssh host true`",
			seconds(long.wall()-empty.wall()), seconds(plainLong.wall()-plainEmpty.wall()))
	}
	t.judge(fmt.Sprintf("authorized_keys of %d lines against an empty one", w.set.lines), text, "≤ 2.00 ×, ≤ 64 MiB", r <= 2 && resident <= 64<<20)
	return nil
}

// writeKeys fills the account's file with keys nobody has and returns its size.
func (w *world) writeKeys(lines int) (int64, error) {
	dir := filepath.Dir(w.authorizedKeys())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(w.authorizedKeys(), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(f)
	blob := append([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"), make([]byte, 32)...)
	for i := range lines {
		if _, err := rand.Read(blob[len(blob)-32:]); err != nil {
			return 0, err
		}
		fmt.Fprintf(out, "ssh-ed25519 %s user%d@example.com\n", base64.StdEncoding.EncodeToString(blob), i)
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	if err := f.Close(); err != nil {
		return 0, err
	}
	info, err := os.Stat(w.authorizedKeys())
	if err != nil {
		return 0, err
	}
	return info.Size(), takeOver(w.server.home(), dir, w.authorizedKeys())
}

// endsWith says whether the account's file grew by exactly that.
func (w *world) endsWith(size int64, line []byte) error {
	f, err := os.Open(w.authorizedKeys())
	if err != nil {
		return err
	}
	defer f.Close()
	tail := make([]byte, len(line)+1)
	n, _ := f.ReadAt(tail, size)
	if !bytes.Equal(tail[:n], line) {
		return fmt.Errorf("authorized_keys did not grow by the key alone")
	}
	return nil
}

func startAndSize(ctx context.Context, w *world, t *table) error {
	var starts series
	for range 50 {
		// -h exits 1, as the script's does.
		starts = append(starts, w.measure(ctx, nil, w.set.binary, "-h"))
	}
	t.judge("`-h` from start to end", milliseconds(starts.wall()), "≤ 15 ms", starts.wall() <= 15*time.Millisecond)
	info, err := os.Stat(w.set.binary)
	if err != nil {
		return err
	}
	t.judge("size of the binary, stripped", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "≤ 14 MB", info.Size() <= 14e6)
	return nil
}
