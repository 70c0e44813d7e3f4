//go:build !windows

package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestResources: Windows finds a version, an icon and a manifest in what a
// release links. A small program stands in for the real one.
func TestResources(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module small\n\ngo 1.26\n",
		"main.go": "package main\n\nvar version string\n\nfunc main() { println(version) }\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, arch := range architectures {
		t.Run(arch.goarch, func(t *testing.T) {
			one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
			for _, file := range []string{one, two} {
				if err := resources("../../..", "1.2.3-rc.1", arch.goarch, file); err != nil {
					t.Fatal(err)
				}
			}
			if first, second := read(t, one), read(t, two); !bytes.Equal(first, second) {
				t.Error("the resources differ from one time to the next")
			}
			exe, err := link(root, "1.2.3-rc.1", arch.goarch, one)
			if err != nil {
				t.Fatal(err)
			}
			found := resourcesOf(t, exe)
			checkVersion(t, found[typeVersion])
			if manifest := string(found[typeManifest]); !strings.Contains(manifest, `level="asInvoker"`) {
				t.Errorf("the manifest: %s", manifest)
			}
			// Reserved, type (1 is an icon), and how many sizes.
			if group := found[typeIconGroup]; !bytes.HasPrefix(group, []byte{0, 0, 1, 0, 6, 0}) {
				t.Errorf("the icons: % x", group)
			}
			if icon := found[typeIcon]; !bytes.HasPrefix(icon, []byte("\x89PNG")) {
				t.Errorf("an icon begins with % x", icon[:min(len(icon), 8)])
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(root, "*.syso")); err != nil || left != nil {
		t.Errorf("left in the tree: %q, %v", left, err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkVersion looks at a VS_VERSIONINFO: the fixed numbers, and strings, each
// of which stands behind its name and ends with a zero.
func checkVersion(t *testing.T, info []byte) {
	t.Helper()
	at := bytes.Index(info, []byte{0xbd, 0x04, 0xef, 0xfe}) // VS_FFI_SIGNATURE
	if at < 0 || len(info) < at+52 {
		t.Fatalf("no VS_FIXEDFILEINFO in %d bytes", len(info))
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(info[at+4*i:]) }
	if word(2) != 1<<16|2 || word(3) != 3<<16 || word(4) != 1<<16|2 || word(5) != 3<<16 {
		t.Errorf("the version is %x.%x, of the product %x.%x", word(2), word(3), word(4), word(5))
	}
	if prerelease := word(7) & 2; prerelease == 0 {
		t.Error("not marked as a prerelease")
	}
	for name, value := range map[string]string{
		"FileVersion": "1.2.3-rc.1", "ProductVersion": "1.2.3-rc.1", "ProductName": "ssh-copy-id",
		"OriginalFilename": program, "InternalName": "ssh-copy-id", "CompanyName": "the ssh-copy-id authors",
		"FileDescription": "ssh-copy-id: installs public keys in the authorized_keys of a remote account",
		"LegalCopyright":  "Copyright (c) the ssh-copy-id authors, MIT License",
	} {
		_, behind, found := bytes.Cut(info, inUTF16(name+"\x00"))
		if behind = bytes.TrimLeft(behind, "\x00"); !found || !bytes.HasPrefix(behind, inUTF16(value+"\x00")) {
			t.Errorf("%s is not %q", name, value)
		}
	}
}

func inUTF16(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

// Types of resources.
const (
	typeIcon      = 3
	typeIconGroup = 14
	typeVersion   = 16
	typeManifest  = 24
)

// resourcesOf reads the first resource of each type.
func resourcesOf(t *testing.T, exe []byte) map[uint32][]byte {
	t.Helper()
	file, err := pe.NewFile(bytes.NewReader(exe))
	if err != nil {
		t.Fatal(err)
	}
	header := file.OptionalHeader.(*pe.OptionalHeader64)
	where := header.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_RESOURCE]
	section := file.Section(".rsrc")
	if section == nil || where.Size == 0 || where.VirtualAddress != section.VirtualAddress {
		t.Fatalf("no resources: section %v, directory %+v", section, where)
	}
	data, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	word := func(at uint32) uint32 { return binary.LittleEndian.Uint32(data[at:]) }
	const below = 1 << 31 // the offset is that of a directory
	found := map[uint32][]byte{}
	// A directory has a header of 16 bytes, and entries of an ID and an offset.
	for i := range word(12)>>16 + word(12)&0xffff {
		kind, at := word(16+8*i), word(20+8*i)
		for at&below != 0 {
			at = word(at&^below + 20)
		}
		start, size := word(at)-section.VirtualAddress, word(at+4)
		found[kind] = data[start : start+size]
	}
	return found
}
