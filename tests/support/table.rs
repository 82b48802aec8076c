//! The table of peers as ntpq prints it, and as truechimer logs it on SIGUSR1.

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// `*` system peer, `+` survivor, `x` falseticker, a space for a rejected one, ...
    pub tally: char,
    /// Name or address.
    pub remote: String,
    /// Reference identifier of the remote.
    pub refid: String,
    /// Stratum of the remote.
    pub stratum: u8,
    /// Type: `u` unicast, `b` broadcast client, `B` broadcast server, `s` symmetric, ...
    pub kind: char,
    /// Reach register, 8 bits.
    pub reach: u16,
    /// Poll interval in seconds.
    pub poll_s: u64,
    /// Round trip in milliseconds.
    pub delay_ms: f64,
    /// Offset in milliseconds.
    pub offset_ms: f64,
}

/// Marks ntpq puts before a remote.
const TALLIES: &str = "x.-#+*o";

/// The rows of the last table in a text; whatever a log puts before each line is passed over.
#[must_use]
pub fn last(text: &str) -> Vec<Row> {
    let lines: Vec<_> = text.lines().collect();
    let head = lines.iter().rposition(|line| {
        line.contains("remote") && line.contains("refid") && line.contains("jitter")
    });
    let Some(head) = head else {
        return Vec::new();
    };
    lines[head + 1..]
        .iter()
        .skip_while(|line| line.contains("====="))
        .map_while(|line| row(line))
        .collect()
}

/// How many tables a text holds.
#[must_use]
pub fn count(text: &str) -> usize {
    text.lines()
        .filter(|line| line.contains("remote") && line.contains("refid") && line.contains("jitter"))
        .count()
}

/// Reads a line from its end, where the columns are always ten.
fn row(line: &str) -> Option<Row> {
    let words: Vec<_> = line.split_whitespace().collect();
    let columns = words.get(words.len().checked_sub(10)?..)?;
    let marked = *columns.first()?;
    let first = marked.chars().next()?;
    let (tally, remote) = if TALLIES.contains(first) {
        (first, marked.get(1..)?)
    } else {
        (' ', marked)
    };
    Some(Row {
        tally,
        remote: remote.to_owned(),
        refid: (*columns.get(1)?).to_owned(),
        stratum: columns.get(2)?.parse().ok()?,
        kind: columns.get(3)?.chars().next()?,
        poll_s: columns.get(5)?.parse().ok()?,
        reach: u16::from_str_radix(columns.get(6)?, 8).ok()?,
        delay_ms: columns.get(7)?.parse().ok()?,
        offset_ms: columns.get(8)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NTPQ: &str =
        "     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
*10.77.0.1       .INIT.           3 u    3    8  377    0.055   -0.010   0.003
 10.77.0.2       .XFAC.          16 u    -   64    0    0.000    0.000   0.000
";

    #[test]
    fn reads_what_ntpq_prints() {
        let rows = last(NTPQ);
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].tally, rows[0].reach, rows[0].stratum),
            ('*', 0o377, 3)
        );
        assert_eq!((rows[1].tally, rows[1].remote.as_str()), (' ', "10.77.0.2"));
        assert!((rows[0].offset_ms + 0.010).abs() < 1e-9);
        assert_eq!(rows[0].kind, 'u');
    }

    #[test]
    fn reads_the_last_table_of_a_log_with_prefixes() {
        let log: String = [NTPQ, &NTPQ.replace('*', "x")]
            .concat()
            .lines()
            .map(|line| format!("2026-11-22T00:00:00Z info: {line}\n"))
            .collect();
        assert_eq!(count(&log), 2);
        assert_eq!(last(&log)[0].tally, 'x');
        assert!(last("nothing of the kind").is_empty());
    }
}
