package main

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ssh-copy-id/internal/sshtest/script"
)

var update = flag.Bool("update", false, "rewrite the files in testdata/script that cmp compares with")

func TestMain(m *testing.M) { testscript.Main(m, script.Programs(main)) }

// TestStories runs testdata/script; the commands are described in
// internal/sshtest/script.
func TestStories(t *testing.T) {
	testscript.Run(t, script.Params("testdata/script", *update))
}
