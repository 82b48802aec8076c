use super::*;

const FILE: &str = r##"//! unsafe in a doc comment
fn short(a: [u8; 4]) -> char {
    let brace = "}"; /* } /* nested } */ */
    let raw = r#"unsafe " { "#;
    '}'
}

trait T<'a> {
    fn declared(&'a self);
}

#[cfg(test)]
mod tests {
    fn inside() {}
}

#[cfg(all(test, loom))]
mod loom_tests;

#[cfg(not(test))]
fn outside() {}
"##;

#[test]
fn literals_and_comments_are_blank_and_nothing_moves() {
    let source = Source::new("src/time/leap.rs", FILE);
    assert_eq!(source.masked().len(), FILE.len());
    assert!(!source.masked().contains("unsafe"));
    assert_eq!(
        source.masked().matches('{').count(),
        source.masked().matches('}').count()
    );
    assert_eq!(
        mask::mask("let a = b'\\''; let b: &'static str = c\"x\"; f('é', br##\"y\"##)"),
        "let a =      ; let b: &'static str =     ; f(    ,          )"
    );
}

#[test]
fn functions_end_at_their_own_brace() {
    let found: Vec<(String, usize, usize)> = Source::new("src/time/leap.rs", FILE)
        .functions()
        .into_iter()
        .map(|f| (f.name, f.line, f.lines))
        .collect();
    let expected = [("short", 2, 5), ("inside", 14, 1), ("outside", 21, 1)];
    let expected: Vec<(String, usize, usize)> = expected
        .iter()
        .map(|(n, l, c)| ((*n).to_owned(), *l, *c))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn test_lines_and_test_modules_are_known() {
    let source = Source::new("src/time/leap.rs", FILE);
    let tests: Vec<usize> = source
        .lines()
        .filter(|(_, _, test)| *test)
        .map(|(line, _, _)| line)
        .collect();
    assert_eq!(tests, [12, 13, 14, 15, 17, 18]);
    assert_eq!(source.test_modules(), ["src/time/leap/loom_tests"]);
    let other = Source::new(
        "src/time/a.rs",
        "#[cfg(all(test, not(loom)))]\nmod tests {}\n",
    );
    assert!(other.lines().all(|(_, _, test)| test));
    let root = Source::new(
        "src/time/lib.rs",
        "#[cfg(test)]\npub(crate) mod fixtures;\n",
    );
    assert_eq!(root.test_modules(), ["src/time/fixtures"]);
}

#[test]
fn a_word_is_not_a_part_of_a_word() {
    assert_eq!(words("unsafe_code unsafe", "unsafe").count(), 1);
    assert_eq!(words("x.unwrap() y.unwrap_or(1)", ".unwrap()").count(), 1);
}
