//! `includefile` and `end`.

use truechimer_config::{LoadError, Loader, codes, parse};

struct Texts;

impl Loader for Texts {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match path {
            "a" => Ok(b"server a\nincludefile b\nserver z".to_vec()),
            "b" => Ok(b"server b nonsense\ntos floor 1".to_vec()),
            "stop" => Ok(b"server stop\nend\nserver never".to_vec()),
            "whole" => Ok(vec![b'#'; truechimer_config::limits::FILE_BYTES]),
            "big" => Ok(vec![b'#'; truechimer_config::limits::FILE_BYTES + 1]),
            other => match other.strip_prefix('n').and_then(|n| n.parse::<u32>().ok()) {
                Some(1) => Ok(b"server deepest".to_vec()),
                Some(n) => Ok(format!("includefile n{}", n - 1).into_bytes()),
                None => Err(LoadError::NotFound),
            },
        }
    }
}

#[test]
fn included_files_are_read_in_place_and_complained_about_by_name() {
    let parsed = parse("c", b"includefile a\nserver y", &Texts);
    let hosts: Vec<_> = parsed
        .settings
        .associations
        .iter()
        .map(|a| a.host.to_string())
        .collect();
    assert_eq!(hosts, ["a", "z", "y"]);
    assert_eq!(parsed.settings.tos.floor, 1);
    assert_eq!(parsed.diagnostics.len(), 1);
    assert_eq!(parsed.diagnostics[0].file(), Some("b"));
    assert!(parsed.render(false).contains("b:1:10"));
}

#[test]
fn includes_nest_five_deep_and_no_deeper() {
    assert!(!parse("c", b"includefile n5", &Texts).has_errors());
    let parsed = parse("c", b"includefile n6\nserver after", &Texts);
    assert_eq!(parsed.diagnostics[0].code, codes::INCLUDE_TOO_DEEP.id);
    assert_eq!(parsed.settings.associations.len(), 1);
}

#[test]
fn end_stops_every_file_and_large_includes_are_refused() {
    let parsed = parse("c", b"includefile stop\nserver never nonsense", &Texts);
    assert!(!parsed.has_errors());
    assert_eq!(parsed.settings.associations.len(), 1);
    assert!(parse("c", b"includefile big", &Texts).has_errors());
    assert!(parse("c", b"includefile missing", &Texts).has_errors());
}

#[test]
fn included_bytes_are_bounded() {
    let four = "includefile whole\n".repeat(4);
    assert!(!parse("c", four.as_bytes(), &Texts).has_errors());
    let parsed = parse("c", (four + "includefile a").as_bytes(), &Texts);
    assert_eq!(parsed.diagnostics[0].code, codes::TOO_MANY_INCLUDES.id);
}
