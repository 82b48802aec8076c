//! PEM text as it comes out of files, mails and web pages.
use crate::secret::wipe;
use openssl::base64;

/// Blocks kept of one file: an MV file has one for each client and two more.
const BLOCKS_MAX: usize = 70;
/// Octets in a line of base64.
const LINE_LEN: usize = 64;
const BEGIN: &str = "-----BEGIN ";
pub(crate) const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One `-----BEGIN LABEL-----` to its `-----END LABEL-----`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) label: String,
    /// The value of `DEK-Info`, when the body is encrypted the traditional way.
    pub(crate) dek_info: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What mail programs, terminals and other systems do to a line is undone: carriage returns,
/// blanks at the ends, marks of quotation.
pub(crate) fn mend_line(line: &str) -> &str {
    line.trim().trim_start_matches(['>', ' ', '|', '\t']).trim()
}

/// The blocks of a text. `None` when one is begun and cannot be read to its end.
pub(crate) fn blocks(text: &str) -> Option<Vec<Block>> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(mend_line);
    while let Some(line) = lines.next() {
        let Some(label) = line
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(DASHES))
        else {
            continue;
        };
        if found.len() == BLOCKS_MAX {
            return None;
        }
        found.push(block(label, &mut lines)?);
    }
    Some(found)
}

fn block<'a>(label: &str, lines: &mut impl Iterator<Item = &'a str>) -> Option<Block> {
    let (mut dek_info, mut body) = (None, String::new());
    loop {
        let line = lines.next()?;
        if let Some(end) = line.strip_prefix(END) {
            if end.strip_suffix(DASHES) != Some(label) {
                return None;
            }
            break;
        }
        match line.split_once(':') {
            Some(("DEK-Info", value)) => dek_info = Some(value.trim().to_owned()),
            Some(_) => {}
            // Quoted-printable mail writes an equals sign so.
            None => body.push_str(&line.replace("=3D", "=")),
        }
    }
    let decoded = base64::decode_block(&body);
    wipe(&mut body.into_bytes());
    Some(Block {
        label: label.to_owned(),
        dek_info,
        body: decoded.ok()?,
    })
}

/// The text of a block.
pub(crate) fn text(block: &Block) -> String {
    let mut out = format!("{BEGIN}{}{DASHES}\n", block.label);
    if let Some(dek_info) = &block.dek_info {
        out.push_str(&format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: {dek_info}\n\n"));
    }
    let encoded = base64::encode_block(&block.body);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_LEN));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("{END}{}{DASHES}\n", block.label));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Block {
        Block {
            label: "DSA PRIVATE KEY".to_owned(),
            dek_info: Some("DES-CBC,0011223344556677".to_owned()),
            body: (0..100).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(blocks(&text(&sample())), Some(vec![sample()]));
        let twice = text(&sample()) + "between\n" + &text(&sample());
        assert_eq!(blocks(&twice).map(|found| found.len()), Some(2));
    }

    #[test]
    fn damage_of_mail_is_undone() {
        let good = text(&sample());
        let quoted: String = good.lines().map(|line| format!("> {line}  \r\n")).collect();
        assert_eq!(blocks(&quoted), Some(vec![sample()]));
        let indented: String = good
            .lines()
            .map(|line| format!(">> | {line}\r\n"))
            .collect();
        assert_eq!(blocks(&indented), Some(vec![sample()]));
        assert!(good.contains("==\n"));
        assert_eq!(
            blocks(&good.replace("==\n", "=3D=3D\n")),
            Some(vec![sample()])
        );
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let good = text(&sample());
        assert_eq!(blocks("no block here"), Some(Vec::new()));
        assert_eq!(blocks(&good.replace("-----END", "-----FIN")), None);
        assert_eq!(blocks(&good.replace("AAEC", "A*EC")), None);
        assert_eq!(blocks(&good.replace("END DSA", "END RSA")), None);
        assert_eq!(blocks(&good.repeat(BLOCKS_MAX + 1)), None);
    }
}
