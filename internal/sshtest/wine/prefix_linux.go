package wine

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

//go:embed keep.sh
var keepScript string

// registry is written before Wine fills the prefix: Windows 10 instead of 7,
// and windows that exist without a display.
const registry = `WINE REGISTRY Version 2
;; All keys relative to \\User\\S-1-5-21-0-0-0-1000

[Software\\Wine] 1
"Version"="win10"

[Software\\Wine\\Drivers] 1
"Graphics"="null"
`

// Prefix is a Windows of its own. Its methods may be called by several
// goroutines.
type Prefix struct {
	dir    string
	keeper *exec.Cmd
	alive  io.Closer // the keeper's standard input
	once   sync.Once
	err    error

	building sync.Mutex // guards built
	built    string     // the directory of what Build makes
}

// places are where Debian keeps Wine's programs, beside the PATH.
const places = "/usr/lib/wine"

func find(names ...string) (string, error) {
	for _, name := range names {
		if file := filepath.Join(places, name); exec.Command("test", "-x", file).Run() == nil {
			return file, nil
		}
		if file, err := exec.LookPath(name); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not installed", ErrUnsupported, names[0])
}

// Available says why no prefix can be had here; nil if one can.
func Available() error {
	if runtime.GOARCH != "amd64" {
		return fmt.Errorf("%w: it takes an amd64 processor", ErrUnsupported)
	}
	_, err := find("wine64")
	if err == nil {
		_, err = find("wineserver64", "wineserver")
	}
	return err
}

// Start makes a prefix. It takes some ten seconds. The caller closes it.
func Start() (*Prefix, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	wine, err := find("wine64")
	if err != nil {
		return nil, err
	}
	server, err := find("wineserver64", "wineserver")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wine")
	if err != nil {
		return nil, err
	}
	p := &Prefix{dir: dir}
	if err := p.keep(server, wine); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	system := filepath.Join(dir, "drive_c", "windows", "system32", randomName)
	if err := os.WriteFile(system, randomDLL(), 0o644); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Attach is a prefix that [Start] made, in another process perhaps.
func Attach(dir string) (*Prefix, error) {
	if _, err := os.Stat(filepath.Join(dir, "drive_c", "windows", "system32", randomName)); err != nil {
		return nil, fmt.Errorf("%s is no prefix: %w", dir, err)
	}
	return &Prefix{dir: dir}, nil
}

// keep starts the process that fills and keeps the prefix.
func (p *Prefix) keep(server, wine string) error {
	// Wine links the folders of a person's files to those below HOME.
	if err := os.Mkdir(filepath.Join(p.dir, "home"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.dir, "user.reg"), []byte(registry), 0o644); err != nil {
		return err
	}
	keeper := exec.Command("/bin/sh", "-c", keepScript, "keep", server, wine, p.dir)
	keeper.Env = p.surroundings()
	keeper.Dir = "/"
	// Out of reach of the Ctrl-C that ends the tests: it has to tidy up then.
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := keeper.StdinPipe()
	if err != nil {
		return err
	}
	said, err := keeper.StdoutPipe()
	if err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if line != "ready\n" {
		alive.Close()
		return fmt.Errorf("wineboot fails in %s: %q, %v, %v", p.dir, line, err, keeper.Wait())
	}
	p.keeper, p.alive = keeper, alive
	return nil
}

// Dir is the directory of the prefix, for [PrefixEnv] and [Attach].
func (p *Prefix) Dir() string { return p.dir }

// Env is the environment that makes Wine use the prefix.
func (p *Prefix) Env() []string { return append(p.surroundings(), "WINEPREFIX="+p.dir) }

// surroundings is Env without the prefix.
func (p *Prefix) surroundings() []string {
	return []string{
		"WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d", // no .NET, no browser, no menus
		"HOME=" + filepath.Join(p.dir, "home"),
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"USER=client",
		"LC_ALL=C.UTF-8", // what the terminal sends and shows
	}
}

// Close ends all programs in the prefix and removes it.
func (p *Prefix) Close() error {
	p.once.Do(func() {
		if p.keeper == nil {
			return // somebody else's
		}
		p.alive.Close()
		if err := p.keeper.Wait(); err != nil {
			p.err = fmt.Errorf("the keeper of the prefix: %v", err)
		}
		if _, err := os.Stat(p.dir); err == nil {
			p.err = errors.Join(p.err, fmt.Errorf("%s is still there", p.dir))
		}
	})
	return p.err
}

var (
	sharedMutex sync.Mutex
	shared      *Prefix
	sharedError error
)

// Shared is the prefix of this process, or the one that [PrefixEnv] names. It
// is made when it is first asked for; [CloseShared] closes it.
func Shared() (*Prefix, error) {
	sharedMutex.Lock()
	defer sharedMutex.Unlock()
	if shared == nil && sharedError == nil {
		if dir := os.Getenv(PrefixEnv); dir != "" {
			shared, sharedError = Attach(dir)
		} else {
			shared, sharedError = Start()
		}
	}
	return shared, sharedError
}

// CloseShared closes the shared prefix, if this process has made one.
func CloseShared() error {
	sharedMutex.Lock()
	defer sharedMutex.Unlock()
	if shared == nil {
		return nil
	}
	err := shared.Close()
	shared = nil
	return err
}
