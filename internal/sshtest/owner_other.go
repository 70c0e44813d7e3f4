//go:build !unix

package sshtest

import "io/fs"

const modeCounts = false

func ownedByUs(fs.FileInfo) bool { return true }
