//! docs/workshop.md, command by command: what it tells to type is typed, and what it shows has to appear.

use std::fs;
use std::path::Path;

use super::cli::Turso;
use super::terminal::Shell;

/// A fenced block: its language, and its lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            blocks.push((language, lines.by_ref().take_while(|line| *line != "```").collect()));
        }
    }
    blocks
}

/// The reader of the page.
struct Reader {
    turso: Turso,
    shell: Option<Shell>,
    /// What was shown last.
    shown: String,
}

impl Reader {
    /// Types a command; without SQL the shell stays open for what comes next.
    fn command(&mut self, line: &str) {
        let line = line.replace("127.0.0.1:8080", &self.turso.host());
        let Some(line) = line.strip_prefix("turso ") else {
            // The server runs, and the CLI knows of it: see `Turso`.
            assert!(line.starts_with("export TURSO_") || line.starts_with("cargo run"), "{line}");
            return;
        };
        let opens = line.strip_prefix("db shell ").is_some_and(|rest| !rest.contains(' '));
        if opens {
            self.shell = Some(Shell::open(self.turso.interactive(line)));
        } else if let Some((line, echo)) = line.split_once(" || echo ") {
            self.turso.fails(line);
            self.shown = echo.to_owned();
        } else {
            self.shown = self.turso.ok(line);
        }
    }

    fn sql(&mut self, lines: &[&str]) {
        let mut shell = self.shell.take().expect("a shell that was opened before");
        self.shown.clear();
        for line in lines {
            if *line == ".quit" {
                return shell.quit();
            }
            self.shown += &shell.answer(line);
            self.shown.push('\n');
        }
        panic!("the shell is not left");
    }

    /// The line of the page has been shown, however wide its columns are.
    fn see(&self, expected: &str) {
        let expected = expected.replace("127.0.0.1:8080", &self.turso.host());
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = squeeze(&self.shown);
        assert!(shown.contains(&squeeze(&expected)), "{expected:?} is not in {:?}", self.shown);
    }
}

#[test]
fn the_page_of_the_workshop_works_from_top_to_bottom() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workshop.md");
    let page = fs::read_to_string(page).unwrap();
    let mut reader = Reader { turso: Turso::start(), shell: None, shown: String::new() };
    let mut commands = 0;
    for (language, lines) in blocks(&page) {
        match language {
            "console" => {
                for line in lines {
                    match line.strip_prefix("$ ") {
                        Some(command) => {
                            commands += 1;
                            reader.command(command);
                        }
                        None => reader.see(line),
                    }
                }
            }
            "sql" => reader.sql(&lines),
            "text" => lines.iter().for_each(|line| reader.see(line)),
            other => panic!("a block of {other:?}, which nobody executes"),
        }
    }
    assert!(commands > 25, "{commands}");
    assert!(reader.shell.is_none(), "the last shell is not left");
}
