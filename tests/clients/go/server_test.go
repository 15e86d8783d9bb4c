// The published client for Go through database/sql, against the server that the environment describes: this
// file has the server, and databases on it that no other test uses.
package clients

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tursodatabase/libsql-client-go/libsql"
)

var count atomic.Int64

// The scheme of the URLs that clients get: http or ws.
var transport = cmp.Or(os.Getenv("LIBSQL_TRANSPORT"), "http")

func TestMain(m *testing.M) {
	for _, name := range []string{"HRANAD_URL", "HRANAD_API_TOKEN"} {
		if os.Getenv(name) == "" && !slices.Contains(os.Args, "-test.run=^$") {
			fmt.Fprintf(os.Stderr, "%s is not set; these tests are started by `cargo test clients`\n", name)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// createDatabase creates a database and tells the URL that clients use.
func createDatabase(t *testing.T) string {
	t.Helper()
	return databaseURL(create(t, map[string]any{}))
}

// create creates a database that is more than its name, and tells that.
func create(t *testing.T, fields map[string]any) string {
	t.Helper()
	server := os.Getenv("HRANAD_URL")
	name := fmt.Sprintf("go-%d-%d", os.Getpid(), count.Add(1))
	fields["name"], fields["group"] = name, "default"
	body, err := json.Marshal(fields)
	check(t, err)
	request, err := http.NewRequest("POST", server+"/v1/databases", bytes.NewReader(body))
	check(t, err)
	request.Header.Set("authorization", "Bearer "+os.Getenv("HRANAD_API_TOKEN"))
	response, err := http.DefaultClient.Do(request)
	check(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(response.Body)
		t.Fatalf("%s: %s", response.Status, answer)
	}
	return name
}

func databaseURL(name string) string {
	server := strings.Replace(os.Getenv("HRANAD_URL"), "http", transport, 1)
	return fmt.Sprintf("%s/db/%s", server, name)
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	connector, err := libsql.NewConnector(url)
	check(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// fresh opens a new database, in which statements have been executed.
func fresh(t *testing.T, statements ...string) *sql.DB {
	t.Helper()
	db := open(t, createDatabase(t))
	for _, statement := range statements {
		_, err := db.Exec(statement)
		check(t, err)
	}
	return db
}

// onlyOverHTTP is for what the client cannot do over WebSocket.
func onlyOverHTTP(t *testing.T) {
	t.Helper()
	if transport != "http" {
		t.Skip("not over", transport)
	}
}

type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
}

// column reads the first and only column of all rows.
func column[T any](t *testing.T, db querier, query string, args ...any) []T {
	t.Helper()
	rows, err := db.Query(query, args...)
	check(t, err)
	defer rows.Close()
	values := []T{}
	for rows.Next() {
		var value T
		check(t, rows.Scan(&value))
		values = append(values, value)
	}
	check(t, rows.Err())
	return values
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, err error, message string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), message) {
		t.Fatalf("wanted an error with %q, not: %v", message, err)
	}
}

func same[T comparable](t *testing.T, got []T, wanted ...T) {
	t.Helper()
	if !slices.Equal(got, wanted) {
		t.Fatalf("wanted %v, not %v", wanted, got)
	}
}
