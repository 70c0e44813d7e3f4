package copyid_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
)

// A key of this account is installed for alice on a host; a password is the only
// thing that may be asked for.
func ExampleClient() {
	home, _ := os.UserHomeDir()
	ids, err := identity.ReadFile(filepath.Join(home, ".ssh", "id_ed25519.pub"))
	if err != nil {
		log.Fatal(err)
	}
	client := copyid.New(copyid.Options{Password: []byte(os.Getenv("ALICE_PASSWORD"))})
	host, err := client.Dial(context.Background(), copyid.Target{Destination: "alice@server.example"})
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close()
	report, err := host.Ensure(context.Background(), copyid.Goal{Present: ids})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("added:", len(report.Added()), "accepted:", len(report.Verification.Accepted))
}
