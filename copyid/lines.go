package copyid

import "bytes"

// maxTraceLine bounds a line of trace output before it is passed on anyway.
const maxTraceLine = 64 << 10

// lineWriter passes what is written to it on, line by line.
type lineWriter struct {
	line func(string)
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	if w.line == nil {
		return len(b), nil
	}
	w.rest = append(w.rest, b...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		switch {
		case end >= 0:
			w.line(string(w.rest[:end]))
			w.rest = w.rest[end+1:]
		case len(w.rest) > maxTraceLine:
			w.line(string(w.rest))
			w.rest = nil
			return len(b), nil
		default:
			return len(b), nil
		}
	}
}
