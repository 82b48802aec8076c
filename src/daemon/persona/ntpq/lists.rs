//! Numbered lists: network interfaces and access rules.
use super::super::dialogue::{Screen, Value};
use super::state::Ntpq;
use crate::control_client::{Item, NetAddress, Request, items};
use core::fmt::Write;
use truechimer_wire::Opcode;

const INTERFACES: &str = "    interface name                                        send\n \
     #  address/broadcast     drop flag ttl mc received sent failed peers   uptime\n";
const RULES: &str = "   hits    addr/prefix or addr mask\n           restrictions\n";
/// Fields that make a whole row.
const INTERFACE_FIELDS: [&str; 12] = [
    "addr", "bcast", "en", "flags", "mc", "name", "pc", "rx", "tl", "tx", "txerr", "up",
];
const RULE_FIELDS: [&str; 4] = ["addr", "mask", "hits", "flags"];

pub(super) fn ifstats(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    let Some(found) = fetch(ntpq, &[], INTERFACES, screen) else {
        return;
    };
    show(&found, &INTERFACE_FIELDS, interface, screen);
}

pub(super) fn reslist(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    let Some(found) = fetch(ntpq, b"addr_restrictions", RULES, screen) else {
        return;
    };
    show(&found, &RULE_FIELDS, rule, screen);
}

fn fetch(ntpq: &mut Ntpq, data: &[u8], head: &str, screen: &mut Screen<'_>) -> Option<Vec<Item>> {
    let request = Request {
        sealed: true,
        ..Request::open(Opcode::ReadOrdered, 0, data)
    };
    let answer = ntpq.query(&request, screen)?;
    screen.say(head);
    screen.say(&format!("{}\n", "=".repeat(78)));
    Some(items(&answer.data))
}

/// A row under construction: its number, and its fields as they came.
#[derive(Default)]
struct Row<'a> {
    number: u32,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    fn text(&self, name: &str) -> &'a str {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map_or("", |(_, value)| value)
    }

    fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    fn address(&self, name: &str) -> NetAddress {
        NetAddress::parse(self.text(name)).unwrap_or_default()
    }
}

/// Shows each row when its last field has come.
fn show(found: &[Item], fields: &[&str], form: fn(&Row<'_>) -> String, screen: &mut Screen<'_>) {
    let mut row = Row::default();
    let incomplete = |row: &Row<'_>| {
        format!(
            "Warning: incomplete row with {} (of {}) fields\n",
            row.fields.len(),
            fields.len()
        )
    };
    for item in found {
        let Some((name, number)) = item.name.split_once('.') else {
            continue;
        };
        let Ok(number) = number.parse::<u32>() else {
            continue;
        };
        if !fields.contains(&name) {
            continue;
        }
        if number != row.number {
            if !row.fields.is_empty() {
                screen.say(&incomplete(&row));
            }
            row = Row {
                number,
                fields: Vec::new(),
            };
        }
        if !row.fields.iter().any(|(field, _)| *field == name) {
            row.fields.push((name, item.bare()));
        }
        if row.fields.len() == fields.len() {
            screen.say(&form(&row));
            row.fields.clear();
        }
    }
    if !row.fields.is_empty() {
        screen.say(&incomplete(&row));
    }
}

fn interface(row: &Row<'_>) -> String {
    let flags = row.text("flags").trim_start_matches("0x");
    let mut text = format!(
        "{:3} {:<24.24} {} {:>4} {:3} {:2} {:6} {:6} {:6} {:5} {:8}\n    {}\n",
        row.number,
        row.text("name"),
        if row.number("en") == 0 { 'D' } else { '.' },
        flags,
        row.number("tl"),
        row.number("mc"),
        row.number("rx"),
        row.number("tx"),
        row.number("txerr"),
        row.number("pc"),
        row.number("up"),
        row.address("addr").with_port()
    );
    let broadcast = row.address("bcast");
    if !broadcast.is_unspecified() {
        // A string takes any write.
        let _ = writeln!(text, "    {}", broadcast.with_port());
    }
    text
}

fn rule(row: &Row<'_>) -> String {
    let (address, mask) = (row.address("addr"), row.address("mask"));
    let net = match mask.mask_length() {
        Some(length) => format!("{address}/{length}"),
        None => format!("{address} {mask}"),
    };
    format!(
        "{:10} {net}\n           {}\n",
        row.number("hits"),
        row.text("flags")
    )
}
