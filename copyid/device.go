package copyid

import (
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/serverid"
)

// deviceError recognises an appliance by what it calls itself; nil for a
// server that has files.
func (t *task) deviceError(serverVersion string) error {
	platform, known := device.Recognise(serverVersion)
	if !known || serverid.Parse(serverVersion).Software == serverid.ScreenOS {
		return nil // ScreenOS takes its commands from a program, as the stock script types them
	}
	return &DeviceError{Code: CodeDevice, Platform: platform.Name, Title: platform.Title, User: t.User, HostName: t.HostName, Keys: t.identities()}
}
