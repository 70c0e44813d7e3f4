package copyid

import (
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/serverid"
)

// DeviceError tells that the server is an appliance that keeps public keys in
// its own configuration, where nobody but a person at it can put them.
type DeviceError struct {
	Platform device.Platform
	// User is the account, HostName the device.
	User, HostName string
	// Keys are what was to be installed.
	Keys []identity.Identity
}

func (e *DeviceError) Error() string {
	return e.HostName + " is " + e.Platform.Title + ", which keeps keys in its own configuration"
}

// deviceError recognises an appliance by what it calls itself; nil for a
// server that has files.
func (t *task) deviceError(serverVersion string) error {
	platform, known := device.Recognise(serverVersion)
	if !known || serverid.Parse(serverVersion).Software == serverid.ScreenOS {
		return nil // ScreenOS takes its commands from a program, as the stock script types them
	}
	return &DeviceError{Platform: platform, User: t.User, HostName: t.HostName, Keys: t.identities()}
}
