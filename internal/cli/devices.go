package cli

import (
	"fmt"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/term"
)

func (f *Flags) setPlatform(name string) error {
	if name == "list" {
		f.ListPlatforms = true
		return nil
	}
	platform, known := device.ByName(name)
	if !known {
		var names []string
		for _, p := range device.Platforms() {
			names = append(names, p.Name)
		}
		return &UsageError{Text: "--print-commands knows no '" + name + "', but " + strings.Join(names, ", ")}
	}
	f.Platform = platform
	return nil
}

// listPlatforms prints the appliances whose commands are known.
func (p *printer) listPlatforms() {
	for _, platform := range device.Platforms() {
		p.print("%-18s %s\n", platform.Name, platform.Title)
	}
}

// printCommands prints what to type on an appliance for the account that the
// destination names.
func (r *run) printCommands(ids []identity.Identity) error {
	host, err := r.resolve()
	if err != nil {
		return err
	}
	commands, err := r.flags.Platform.Commands(host.User, entries(ids))
	if err != nil {
		return err
	}
	r.printer.remarks(commands)
	if len(commands.Lines) == 0 {
		return &copyid.DeviceError{Platform: r.flags.Platform, User: host.User, HostName: host.Name, Keys: ids}
	}
	for _, line := range commands.Lines {
		r.printer.print("%s\n", line)
	}
	return nil
}

func entries(ids []identity.Identity) []authkeys.Entry {
	var list []authkeys.Entry
	for _, id := range ids {
		list = append(list, id.Entry)
	}
	return list
}

// remarks tells what the commands need and which keys they leave out.
func (p *printer) remarks(commands device.Commands) {
	for _, note := range commands.Notes {
		p.info("%s", note)
	}
	for _, refused := range commands.Refused {
		limit := ""
		if refused.Limit > 0 {
			limit = fmt.Sprintf(", at most %d", refused.Limit)
		}
		p.warning("the device cannot take %s (%s%s)", describe(identity.Identity{Entry: refused.Entry}), refused.Reason, limit)
	}
}

// onDevice tells what to type on an appliance that was recognised.
func (p *printer) onDevice(e *copyid.DeviceError) {
	text := fmt.Sprintf("%s is %s, which keeps keys in its own configuration; nothing was changed", term.Escape(e.HostName), e.Platform.Title)
	commands, err := e.Platform.Commands(e.User, entries(e.Keys))
	switch {
	case err != nil:
		text += ": " + term.Escape(err.Error())
	case len(commands.Lines) == 0:
		p.remarks(commands)
		text += ". It takes none of these keys"
	default:
		p.remarks(commands)
		text += ". Log in there and type:\n\t" + strings.Join(commands.Lines, "\n\t")
	}
	p.tell("\n%s: ERROR: %s\n\n", p.name, text)
}
