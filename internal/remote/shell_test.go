package remote

import (
	"testing"
)

func TestFirst(t *testing.T) {
	eachShell(t, func(t *testing.T, h *host) {
		s := h.session(Options{})
		defer s.Close()
		r := add(t, s, install(1, 2))
		t.Logf("%+v", r)
		h.want(".ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
		h.wantClean()
		st, err := s.Read(timeout(t), []string{testBlob(2)})
		t.Logf("%+v %v", st, err)
		r = add(t, s, install(2, 3))
		t.Logf("%+v", r)
		c := install(3)
		c.Expect = st.Sum
		c.Repair = true
		r = add(t, s, c)
		t.Logf("%+v", r)
		h.want(".ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n"+testLine(3)+"\n")
	})
}
