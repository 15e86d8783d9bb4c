// Transactions, alone and against each other.
package clients

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
)

const ids = "SELECT id FROM t ORDER BY id"

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	check(t, err)
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

func insert(tx interface {
	Exec(query string, args ...any) (sql.Result, error)
}, id int) error {
	_, err := tx.Exec("INSERT INTO t VALUES (?, ?)", id, fmt.Sprintf("n%d", id))
	return err
}

func TestTransactions_Commit(t *testing.T) {
	db := fresh(t, schema)
	tx := begin(t, db)
	check(t, insert(tx, 1))
	check(t, insert(tx, 2))
	same(t, column[int64](t, tx, ids), 1, 2)
	same(t, column[int64](t, db, ids))
	check(t, tx.Commit())
	same(t, column[int64](t, db, ids), 1, 2)
}

func TestTransactions_Rollback(t *testing.T) {
	db := fresh(t, schema)
	tx := begin(t, db)
	check(t, insert(tx, 1))
	check(t, tx.Rollback())
	check(t, insert(db, 2))
	same(t, column[int64](t, db, ids), 2)
}

func TestTransactions_AFailingStatementLeavesThemUsable(t *testing.T) {
	db := fresh(t, schema)
	tx := begin(t, db)
	check(t, insert(tx, 1))
	fails(t, insert(tx, 1), "UNIQUE constraint failed")
	check(t, insert(tx, 2))
	check(t, tx.Commit())
	same(t, column[int64](t, db, ids), 1, 2)
}

func TestConflicts_OfTwoThatReadAndThenWriteTheSecondIsTold(t *testing.T) {
	db := fresh(t, schema)
	first, second := begin(t, db), begin(t, db)
	same(t, column[int64](t, first, ids))
	same(t, column[int64](t, second, ids))
	check(t, insert(first, 1))
	check(t, first.Commit())
	fails(t, insert(second, 2), "database is locked")
	check(t, second.Rollback())
	same(t, column[int64](t, db, ids), 1)
}

func TestBatches_AFailingOneLeavesNoTransactionBehind(t *testing.T) {
	onlyOverHTTP(t)
	db := fresh(t, schema)
	conn, err := db.Conn(context.Background())
	check(t, err)
	defer conn.Close()
	batch := "BEGIN; INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (1, 'b'); COMMIT"
	_, err = conn.ExecContext(context.Background(), batch)
	fails(t, err, "UNIQUE constraint failed: t.id")
	check(t, insert(db, 2))
	same(t, column[int64](t, db, ids), 2)
}

func TestParallel_50TransactionsAtTheSameTime(t *testing.T) {
	db := fresh(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
	errors := make([]error, 50)
	var group sync.WaitGroup
	for i := range errors {
		group.Add(1)
		go func() {
			defer group.Done()
			tx, err := db.Begin()
			if err == nil {
				err = insert(tx, i*2)
			}
			if err == nil {
				err = insert(tx, i*2+1)
			}
			if err == nil {
				err = tx.Commit()
			}
			errors[i] = err
		}()
	}
	group.Wait()
	for _, err := range errors {
		check(t, err)
	}
	same(t, column[int64](t, db, "SELECT count(*) FROM t"), 100)
}

// Goose migrates so: a transaction for each version, with the note of it inside.
func TestTransactions_OfASchemaDatabaseAreMigrationsOfItsChildren(t *testing.T) {
	schema := create(t, map[string]any{"is_schema": true})
	db := open(t, databaseURL(schema))
	child := open(t, databaseURL(create(t, map[string]any{"schema": schema})))
	for version, statement := range []string{
		"CREATE TABLE versions (id INTEGER PRIMARY KEY)",
		"CREATE TABLE users (id INTEGER PRIMARY KEY)",
		"ALTER TABLE users ADD COLUMN name TEXT",
	} {
		tx := begin(t, db)
		_, err := tx.Exec(statement)
		check(t, err)
		_, err = tx.Exec("INSERT INTO versions VALUES (?)", version)
		check(t, err)
		same(t, column[int64](t, tx, "SELECT max(id) FROM versions"), int64(version))
		check(t, tx.Commit())
		same(t, column[int64](t, child, "SELECT max(id) FROM versions"), int64(version))
	}
	tx := begin(t, db)
	_, err := tx.Exec("DROP TABLE users")
	check(t, err)
	check(t, tx.Rollback())
	same(t, column[string](t, child, "SELECT name FROM users"))
	_, err = child.Exec("CREATE TABLE mine (id)")
	fails(t, err, "change it there")
}
