//! A command line, cut into words.

/// Longest line, octets.
pub(in crate::persona) const LINE_MAX: usize = 512;
/// Cuts a line into words. Quotes keep blanks; after a command that begins with `:` the rest of
/// the line is one word. `None` where the line is too long; words beyond the most are left out.
pub(super) fn words(line: &str, most: usize) -> Option<Vec<String>> {
    if line.len() >= LINE_MAX {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    let mut rest = line;
    while words.len() < most {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() || rest.starts_with(['\r', '\n']) {
            break;
        }
        let end_of_line = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let whole_line = words.len() == 1 && words.iter().any(|first| first.starts_with(':'));
        let (word, after) = if whole_line {
            rest.split_at(end_of_line)
        } else if let Some(inner) = rest.strip_prefix('"') {
            let end = inner.find(['"', '\r', '\n']).unwrap_or(inner.len());
            let (word, after) = inner.split_at(end);
            (word, after.strip_prefix('"').unwrap_or(after))
        } else {
            let end = rest.find([' ', '\t', '"']).unwrap_or(rest.len());
            rest.split_at(end.min(end_of_line))
        };
        words.push(word.to_owned());
        rest = after;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut() {
        let cut = |line: &str| words(line, 7).map(|words| words.join("|"));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(cut("  rv  0 \t leap,stratum\n"), text("rv|0|leap,stratum"));
        assert_eq!(cut("a \"b c\" d"), text("a|b c|d"));
        assert_eq!(cut("a \"b c"), text("a|b c"));
        assert_eq!(
            cut(":config server  a \"b\""),
            text(":config|server  a \"b\"")
        );
        assert_eq!(cut("as > file"), text("as|>|file"));
        assert_eq!(cut("\n"), text(""));
        assert_eq!(cut(&"x".repeat(LINE_MAX)), None);
        assert_eq!(cut("1 2 3 4 5 6 7 8 9"), text("1|2|3|4|5|6|7"));
    }
}
