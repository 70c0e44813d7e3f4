//go:build !unix

package main

import "os"

// residentBytes is not told here.
func residentBytes(*os.ProcessState) int64 { return 0 }

// takeOver has nothing to do: all files are the caller's.
func takeOver(string, ...string) error { return nil }
