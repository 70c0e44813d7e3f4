package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"
)

// behind is the server under another name, to be reached through two hops.
const behind = "behind"

// hops goes through the distant name of the server and then through the near
// one, so that every byte crosses the slow link once: the times differ by round
// trips.
func hops(ctx context.Context, w *world, t *table) error {
	through := "ProxyJump=" + far + "," + near
	var ours, theirs series
	for round := range w.set.far {
		fmt.Fprintf(os.Stderr, "bench: two hops, round %d of %d\n", round+1, w.set.far)
		if err := w.reset(); err != nil {
			return err
		}
		login := w.measure(ctx, nil, "ssh", "-F", w.path("config"), "-o", through, behind, "true")
		s := w.measure(ctx, nil, w.set.binary, "--no-verify", "-F", w.path("config"), "-o", through, "-i", w.path("key"), behind)
		if s.err == nil {
			s.err = w.holds(w.line)
		}
		for _, s := range []sample{login, s} {
			if s.err != nil {
				return fmt.Errorf("two hops: %w\n%s", s.err, s.output)
			}
		}
		ours, theirs = append(ours, s), append(theirs, login)
	}
	r := ours.ratio(theirs)
	t.judge("install through two hops at 50 ms, `--no-verify`, against `ssh -J one,two host true`",
		seconds(ours.wall())+" against "+seconds(theirs.wall())+": "+times(r), "≤ 1.00 ×", r <= 1)
	return nil
}

// manyHosts looks the server up in a long file of hashed names.
func manyHosts(ctx context.Context, w *world, t *table) error {
	known, err := os.ReadFile(w.path("known_hosts"))
	if err != nil {
		return err
	}
	_, key, _ := strings.Cut(strings.TrimSpace(string(known)), " ")
	key, _, _ = strings.Cut(key, "\n")
	f, err := os.Create(w.path("known_hosts_long"))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	for i := range w.set.lines {
		fmt.Fprintf(out, "%s %s\n", knownhosts.HashHostname(fmt.Sprintf("host%d.example", i)), key)
	}
	out.Write(known)
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	var short, long, theirs series
	for range w.set.far {
		for _, file := range []string{"known_hosts", "known_hosts_long"} {
			option := "UserKnownHostsFile=" + w.path(file)
			s := w.measure(ctx, nil, w.set.binary, "-n", "-F", w.path("config"), "-o", option, "-i", w.path("key"), near)
			if s.err != nil {
				return fmt.Errorf("%s: %w\n%s", file, s.err, s.output)
			}
			if file == "known_hosts" {
				short = append(short, s)
				continue
			}
			long = append(long, s)
			theirs = append(theirs, w.measure(ctx, nil, "ssh", "-F", w.path("config"), "-o", option, near, "true"))
		}
	}
	added := long.wall() - short.wall()
	t.judge(fmt.Sprintf("known_hosts of %d hashed lines: added to a dry run", w.set.lines),
		milliseconds(added)+"; a whole `ssh host true` with it takes "+milliseconds(theirs.wall()), "≤ 300 ms", added <= 300*time.Millisecond)
	return nil
}

// longConfig resolves a host with 5,000 lines of ssh_config in 50 files.
func longConfig(ctx context.Context, w *world, t *table) error {
	var main strings.Builder
	for file := range 50 {
		var text strings.Builder
		for block := range 25 {
			fmt.Fprintf(&text, "Host h%d-%d *.h%d.example\n\tUser u\n\tPort 2222\n\tIdentityFile ~/.ssh/k%d\n", file, block, block, block)
		}
		name := w.path(fmt.Sprintf("include%d", file))
		if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(&main, "Include %s\n", name)
	}
	if err := os.WriteFile(w.path("config_long"), []byte(main.String()), 0o600); err != nil {
		return err
	}
	var empty, long series
	for range 20 {
		empty = append(empty, w.measure(ctx, nil, w.set.binary, "-G", "-F", "none", "h49-24"))
		s := w.measure(ctx, nil, w.set.binary, "-G", "-F", w.path("config_long"), "h49-24")
		if s.err != nil {
			return fmt.Errorf("long ssh_config: %w\n%s", s.err, s.output)
		}
		long = append(long, s)
	}
	added := long.wall() - empty.wall()
	t.judge("ssh_config of 5,000 lines in 50 includes: added to `-G`", milliseconds(added), "≤ 20 ms", added <= 20*time.Millisecond)
	return nil
}
