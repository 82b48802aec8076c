//! "Did you mean": the nearest word of a list.

/// Words longer than this are noise, and distance costs the product of lengths.
const LONGEST_TYPO_BYTES: usize = 40;

/// The candidate that `word` was probably meant to be, if any is near enough.
///
/// A word that differs only in case wins. Otherwise a third of the word may be wrong.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if word.len() > LONGEST_TYPO_BYTES {
        return None;
    }
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    let allowed = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(length) <= allowed)
        .map(|candidate| (strsim::osa_distance(&lower, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_typos_people_make() {
        let words = [
            "server", "noquery", "nomodify", "keysdir", "keys", "restrict",
        ];
        for (typo, meant) in [
            ("serveur", "server"),
            ("noqyery", "noquery"),
            ("nmodify", "nomodify"),
            ("keyssdir", "keysdir"),
            ("restirct", "restrict"),
            ("SERVER", "server"),
        ] {
            assert_eq!(nearest(typo, words), Some(meant), "{typo}");
        }
    }

    #[test]
    fn does_not_guess_wildly() {
        assert_eq!(nearest("xyzzy", ["server", "noquery"]), None);
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest(&"server".repeat(50), ["server"]), None);
    }
}
