//! What README.md says of itself is true. Named so that it comes after the tests whose results it needs.

use crate::clients;

#[test]
fn the_table_of_clients_is_what_they_achieve() {
    clients::table::check();
}
