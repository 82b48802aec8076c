//! Changing a daemon's configuration from afar.
use super::super::dialogue::{Screen, Value, line::LINE_MAX};
use super::state::Ntpq;
use crate::control_client::{Request, printable};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use truechimer_wire::{CONTROL_DATA_MAX, Opcode};

/// Tries for each line of a file after the first.
const RETRIES: u32 = 2;

fn send(ntpq: &mut Ntpq, line: &str, screen: &mut Screen<'_>) -> Option<String> {
    if line.len() > CONTROL_DATA_MAX {
        screen.complain(&format!(
            "***Internal error!  qsize ({}) too large\n",
            line.len()
        ));
        return None;
    }
    let request = Request {
        sealed: true,
        ..Request::open(Opcode::Configure, 0, line.as_bytes())
    };
    let answer = ntpq.query(&request, screen)?;
    let text = printable(&answer.data);
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

pub(super) fn config(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let line = Value::word(values, 0);
    let Some(response) = send(ntpq, line, screen) else {
        return;
    };
    // The daemon counts columns of the line; they are marked below it.
    let column = response
        .strip_prefix("column ")
        .and_then(|rest| rest.split_once(" syntax error"))
        .and_then(|(column, _)| column.parse::<usize>().ok());
    if let Some(column) = column.filter(|column| *column <= line.len() + 1) {
        if ntpq.common.interactive {
            screen.say(&"_".repeat("ntpq> :config ".len()));
        } else {
            screen.say(&format!("{line}\n"));
        }
        screen.say(&format!("{}^\n", "_".repeat(column.saturating_sub(1))));
    }
    screen.say(&format!("{response}\n"));
}

pub(super) fn config_from_file(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let path = Value::word(values, 0);
    let Ok(file) = File::open(path) else {
        return screen.say(&format!("ERROR!! Couldn't open file: {path}\n"));
    };
    screen.say("Sending configuration file, one line at a time.\n");
    let mut reader = BufReader::new(file);
    for number in 1_u32.. {
        let mut octets = Vec::new();
        let limit = LINE_MAX as u64 - 1;
        match reader.by_ref().take(limit).read_until(b'\n', &mut octets) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let mut line = String::from_utf8_lossy(&octets).into_owned();
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let sent = (0..=RETRIES).find_map(|_| send(ntpq, &line, screen));
        let Some(response) = sent else {
            screen.say(&format!("Line No: {number} query failed: {line}"));
            return screen.say("Subsequent lines not sent.\n");
        };
        let response = response.trim_end_matches('\r');
        screen.say(&format!("Line No: {number} {response}: {line}"));
    }
    screen.say("Done sending file\n");
}

pub(super) fn save(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let request = Request {
        sealed: true,
        ..Request::open(Opcode::SaveConfig, 0, Value::word(values, 0).as_bytes())
    };
    let Some(answer) = ntpq.query(&request, screen) else {
        return;
    };
    if answer.data.is_empty() {
        screen.say("(no response message, curiously)");
    } else {
        screen.say(&printable(&answer.data).replace('\r', ""));
    }
}
