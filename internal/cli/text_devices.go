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

// Commands shows the lines to type on an appliance on standard output, and what
// they need on standard error.
func (p *textOutput) Commands(commands device.Commands) {
	p.say(deviceMessages(commands)...)
	for _, line := range commands.Lines {
		p.print("%s\n", line)
	}
}

// deviceMessages say what the commands need and which keys they leave out.
func deviceMessages(commands device.Commands) (list []message) {
	for _, note := range commands.Notes {
		list = append(list, infof("%s", note))
	}
	for _, refused := range commands.Refused {
		limit := ""
		if refused.Limit > 0 {
			limit = fmt.Sprintf(", at most %d", refused.Limit)
		}
		list = append(list, warningf("the device cannot take %s (%s%s)", describe(identity.Identity{Entry: refused.Entry}), refused.Reason, limit))
	}
	return list
}

// onDevice shows what to type on an appliance that was recognised.
func (p *textOutput) onDevice(e *copyid.DeviceError) {
	text := fmt.Sprintf("%s is %s, which keeps keys in its own configuration; nothing was changed", term.Escape(e.HostName), e.Title)
	platform, _ := device.ByName(e.Platform)
	commands, err := platform.Commands(e.User, entries(e.Keys))
	switch {
	case err != nil:
		text += ": " + term.Escape(err.Error())
	case len(commands.Lines) == 0:
		p.say(deviceMessages(commands)...)
		text += ". It takes none of these keys"
	default:
		p.say(deviceMessages(commands)...)
		text += ". Log in there and type:\n\t" + strings.Join(commands.Lines, "\n\t")
	}
	p.error(text)
}

// entries are the lines of the keys.
func entries(ids []identity.Identity) []authkeys.Entry {
	var list []authkeys.Entry
	for _, id := range ids {
		list = append(list, id.Entry)
	}
	return list
}
