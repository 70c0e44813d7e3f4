package wine

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
)

// Go's runtime takes its first random bytes from ProcessPrng of
// bcryptprimitives.dll, which Wine has only since version 9. randomDLL is a
// library of that name without any code: its one export is a forwarder to
// RtlGenRandom, which does the same and which advapi32.dll exports under the
// name below.
const (
	randomName    = "bcryptprimitives.dll"
	randomExport  = "ProcessPrng"
	randomForward = "advapi32.SystemFunction036"
)

const (
	pageSize = 0x1000 // of sections in memory; the one section is page 1
	diskSize = 0x200  // of sections in the file; so are the headers
)

// exportDirectory is IMAGE_EXPORT_DIRECTORY, followed by its three tables.
// Addresses are relative to where the library is loaded.
type exportDirectory struct {
	Characteristics, TimeDateStamp uint32
	MajorVersion, MinorVersion     uint16
	Name, Base                     uint32
	NumberOfFunctions              uint32
	NumberOfNames                  uint32
	Functions, Names, Ordinals     uint32 // addresses of the tables:
	Function, FunctionName         uint32 // one entry each
	Ordinal                        uint16
}

// randomSection is the section that holds the export.
func randomSection() []byte {
	var d exportDirectory
	at := func(offset int) uint32 { return uint32(pageSize + offset) }
	tables := binary.Size(d) - 4 - 4 - 2
	text := binary.Size(d)
	d.Name = at(text)
	d.Base, d.NumberOfFunctions, d.NumberOfNames = 1, 1, 1
	d.Functions, d.Names, d.Ordinals = at(tables), at(tables+4), at(tables+8)
	d.FunctionName = at(text + len(randomName) + 1)
	// A function whose address lies inside this section is a forwarder.
	d.Function = at(text + len(randomName) + 1 + len(randomExport) + 1)
	var b bytes.Buffer
	write(&b, d)
	for _, s := range []string{randomName, randomExport, randomForward} {
		b.WriteString(s + "\x00")
	}
	return b.Bytes()
}

// randomDLL is the library as a file.
func randomDLL() []byte {
	section := randomSection()
	optional := pe.OptionalHeader64{
		Magic:                 0x20b, // PE32+
		SizeOfInitializedData: diskSize,
		BaseOfCode:            pageSize,
		ImageBase:             0x180000000,
		SectionAlignment:      pageSize,
		FileAlignment:         diskSize,
		// Windows 6.0: what 64-bit linkers write.
		MajorOperatingSystemVersion: 6,
		MajorSubsystemVersion:       6,
		SizeOfImage:                 2 * pageSize,
		SizeOfHeaders:               diskSize,
		Subsystem:                   pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics:          pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE | pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
		SizeOfStackReserve:          1 << 20,
		SizeOfStackCommit:           pageSize,
		SizeOfHeapReserve:           1 << 20,
		SizeOfHeapCommit:            pageSize,
		NumberOfRvaAndSizes:         16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = pe.DataDirectory{VirtualAddress: pageSize, Size: uint32(len(section))}
	header := pe.SectionHeader32{
		VirtualSize: uint32(len(section)), VirtualAddress: pageSize,
		SizeOfRawData: diskSize, PointerToRawData: diskSize,
		Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	}
	copy(header.Name[:], ".edata")

	var b bytes.Buffer
	dos := [64]byte{'M', 'Z', 60: 64} // at 60 stands where the real header is
	b.Write(dos[:])
	b.WriteString("PE\x00\x00")
	write(&b, pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1,
		SizeOfOptionalHeader: uint16(binary.Size(optional)),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
	})
	write(&b, optional)
	write(&b, header)
	return append(padded(b.Bytes()), padded(section)...)
}

func padded(b []byte) []byte { return append(b, make([]byte, diskSize-len(b))...) }

// write cannot fail: the values are of fixed size and the buffer grows.
func write(b *bytes.Buffer, value any) {
	if err := binary.Write(b, binary.LittleEndian, value); err != nil {
		panic(err)
	}
}
