//go:build !windows

package owneronly

// Check finds nothing here: ssh judges the mode, which it reports itself.
func Check(string, Use) (*Exposure, error) { return nil, nil }
