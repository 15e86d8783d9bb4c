// Single statements and several in one text: values, counts, errors, sizes.
package clients

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"
)

const schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"

func TestValues_OfEveryTypeThereAndBack(t *testing.T) {
	db := fresh(t)
	blob := bytes.Repeat([]byte{0, 1, 255}, 25_000)
	values := []any{"", "Grüße, 世界 🎉", "it's\n\"\\", nil, []byte{0}, []byte{0, 1}, []byte{0, 1, 255}, blob,
		0.5, -0.25, 1e300, 5e-324, 0.1, 2.2250738585072011e-308, math.MaxFloat64, int64(0), int64(-1)}
	thereAndBack(t, db, values...)
}

func thereAndBack(t *testing.T, db *sql.DB, values ...any) {
	t.Helper()
	for _, value := range values {
		var got any
		check(t, db.QueryRow("SELECT ?", value).Scan(&got))
		if !reflect.DeepEqual(got, value) {
			t.Errorf("%T %.40v came back as %T %.40v", value, value, got, got)
		}
	}
}

func TestInt64_ThereAndBack(t *testing.T) {
	integers := []any{int64(1<<53 + 1), int64(-(1<<53 + 1)), int64(math.MaxInt64), int64(math.MinInt64)}
	thereAndBack(t, fresh(t), integers...)
}

func TestValues_AnEmptyBlobIsNotNull(t *testing.T) {
	db := fresh(t)
	same(t, column[string](t, db, "SELECT typeof(?)", []byte{}), "blob")
	same(t, column[int64](t, db, "SELECT length(x'')"), 0)
}

func TestValues_BooleansAndTimes(t *testing.T) {
	onlyOverHTTP(t)
	db := fresh(t, "CREATE TABLE t (yes BOOLEAN, at DATETIME, gone TEXT)")
	at := time.Date(2024, 9, 16, 12, 0, 0, 123456789, time.UTC)
	_, err := db.Exec("INSERT INTO t VALUES (?, ?, ?)", true, at, nil)
	check(t, err)
	var yes bool
	var read time.Time
	var gone sql.NullString
	check(t, db.QueryRow("SELECT yes, at, gone FROM t").Scan(&yes, &read, &gone))
	if !yes || !read.Equal(at) || gone.Valid {
		t.Fatal(yes, read, gone)
	}
}

func TestBasics_ArgumentsByNameAndByPosition(t *testing.T) {
	db := fresh(t)
	same(t, column[string](t, db, "SELECT ?2 || ?1", "a", "b"), "ba")
	for _, sign := range []string{":", "@", "$"} {
		query := fmt.Sprintf("SELECT %sa || %sb", sign, sign)
		same(t, column[string](t, db, query, sql.Named("b", "B"), sql.Named("a", "A")), "AB")
	}
}

func TestBasics_AWriteSaysWhatItDid(t *testing.T) {
	db := fresh(t, schema)
	result, err := db.Exec("INSERT INTO t VALUES (1, 'a'), (9223372036854775807, 'b')")
	check(t, err)
	affected, _ := result.RowsAffected()
	last, _ := result.LastInsertId()
	same(t, []int64{affected, last}, 2, math.MaxInt64)
	same(t, column[string](t, db, "UPDATE t SET name = 'c' WHERE id = 1 RETURNING name"), "c")
}

func TestBasics_PreparedStatements(t *testing.T) {
	db := fresh(t, schema)
	insert, err := db.Prepare("INSERT INTO t (name) VALUES (?)")
	check(t, err)
	defer insert.Close()
	for _, name := range []string{"a", "b", "c"} {
		_, err := insert.Exec(name)
		check(t, err)
	}
	_, err = insert.Exec("a")
	fails(t, err, "UNIQUE constraint failed: t.name")
	same(t, column[string](t, db, "SELECT name FROM t ORDER BY id"), "a", "b", "c")
}

func TestErrors_NameTheMistake(t *testing.T) {
	db := fresh(t, schema, "INSERT INTO t VALUES (1, 'a')")
	// The client hands on the message and drops the code.
	for query, message := range map[string]string{
		"INSERT INTO t VALUES (2, 'a')":  "UNIQUE constraint failed: t.name",
		"INSERT INTO t VALUES (2, NULL)": "NOT NULL constraint failed: t.name",
		"SELECT * FROM nowhere":          "no such table: nowhere",
		"SELEKT 1":                       `near "SELEKT": syntax error`,
	} {
		_, err := db.Exec(query)
		fails(t, err, message)
	}
	same(t, column[int64](t, db, "SELECT id FROM t"), 1)
}

func TestErrors_ADatabaseThatDoesNotExistIsNamed(t *testing.T) {
	db := open(t, databaseURL("no-such-database"))
	_, err := db.Exec("SELECT 1")
	fails(t, err, "no-such-database")
	if transport == "http" {
		fails(t, err, "404")
	}
}

func TestBatches_SeveralStatementsAreOneBatch(t *testing.T) {
	onlyOverHTTP(t)
	db := fresh(t)
	result, err := db.Exec(schema+"; INSERT INTO t VALUES (1, 'a;'); INSERT INTO t VALUES (2, ?)", "b")
	check(t, err)
	affected, _ := result.RowsAffected()
	same(t, []int64{affected}, 2)
	rows, err := db.Query("SELECT name FROM t WHERE id = 1; SELECT id FROM t ORDER BY id")
	check(t, err)
	defer rows.Close()
	var name string
	if !rows.Next() || rows.Scan(&name) != nil || name != "a;" || rows.Next() {
		t.Fatal("the first result is wrong:", name)
	}
	if !rows.NextResultSet() {
		t.Fatal("there is no second result")
	}
	var ids []int64
	for rows.Next() {
		var id int64
		check(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	same(t, ids, 1, 2)
}

func TestLarge_100000Rows(t *testing.T) {
	db := fresh(t)
	rows, err := db.Query(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
		SELECT i, 'row ' || i FROM n`)
	check(t, err)
	defer rows.Close()
	wanted := int64(0)
	for rows.Next() {
		var i int64
		var name string
		check(t, rows.Scan(&i, &name))
		if i != wanted || name != fmt.Sprintf("row %d", wanted) {
			t.Fatalf("row %d is %d, %q", wanted, i, name)
		}
		wanted++
	}
	check(t, rows.Err())
	same(t, []int64{wanted}, 100_000)
}

func TestParallel_50CallsAtTheSameTime(t *testing.T) {
	db := fresh(t, schema)
	errors := make([]error, 50)
	var group sync.WaitGroup
	for i := range errors {
		group.Add(1)
		go func() {
			defer group.Done()
			var id int
			name := fmt.Sprintf("n%d", i)
			query := "INSERT INTO t VALUES (?, ?) RETURNING id"
			errors[i] = db.QueryRowContext(context.Background(), query, i, name).Scan(&id)
			if errors[i] == nil && id != i {
				errors[i] = fmt.Errorf("%d was told of %d", i, id)
			}
		}()
	}
	group.Wait()
	for _, err := range errors {
		check(t, err)
	}
	same(t, column[int64](t, db, "SELECT count(*) FROM t"), 50)
}
