//! Reading and writing variables, the list of those always asked for, and how they are shown.
use super::super::dialogue::{Screen, Value};
use super::cooked;
use super::state::Ntpq;
use crate::control_client::{Item, Request, items, printable};
use truechimer_wire::{CONTROL_DATA_MAX, Opcode};

/// Variables a list may hold.
const LIST_MAX: usize = 128;

/// What variables are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    System,
    Peer,
    Clock,
}

impl Kind {
    const fn of(association: u16) -> Self {
        match association {
            0 => Self::System,
            _ => Self::Peer,
        }
    }
}

/// Variables, with values where they are to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct VariableList(Vec<Item>);

impl VariableList {
    pub(super) fn of(words: &[&str], screen: &mut Screen<'_>) -> Self {
        let mut list = Self::default();
        for word in words {
            list.add(word, screen);
        }
        list
    }

    fn add(&mut self, words: &str, screen: &mut Screen<'_>) {
        for item in items(words.as_bytes()) {
            if let Some(known) = self.0.iter_mut().find(|known| known.name == item.name) {
                *known = item;
            } else if self.0.len() < LIST_MAX {
                self.0.push(item);
            } else {
                return screen.complain("Variable list full\n");
            }
        }
    }

    fn remove(&mut self, words: &str, screen: &mut Screen<'_>) {
        for item in items(words.as_bytes()) {
            let before = self.0.len();
            self.0.retain(|known| known.name != item.name);
            if self.0.len() == before {
                screen.complain(&format!("Variable `{}' not found\n", item.name));
            }
        }
    }

    /// As a request carries them, as many as one request has room for.
    pub(super) fn data(&self, screen: &mut Screen<'_>) -> String {
        let mut data = String::new();
        for item in &self.0 {
            let value = item.value.as_deref().unwrap_or_default();
            let comma = if data.is_empty() { "" } else { "," };
            let equals = if value.is_empty() { "" } else { "=" };
            let part = format!("{comma}{}{equals}{value}", item.name);
            if data.len() + part.len() > CONTROL_DATA_MAX {
                screen.complain(&format!(
                    "***Ignoring variables starting with `{}'\n",
                    item.name
                ));
                break;
            }
            data.push_str(&part);
        }
        data
    }
}

pub(super) fn add(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    ntpq.list.add(Value::word(values, 0), screen);
}

pub(super) fn remove(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    ntpq.list.remove(Value::word(values, 0), screen);
}

pub(super) fn clear(ntpq: &mut Ntpq, _: &[Value], _: &mut Screen<'_>) {
    ntpq.list = VariableList::default();
}

pub(super) fn show(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    if ntpq.list.0.is_empty() {
        screen.say("No variables on list\n");
    }
    for item in &ntpq.list.0 {
        match &item.value {
            Some(value) => screen.say(&format!("{}={value}\n", item.name)),
            None => screen.say(&format!("{}\n", item.name)),
        }
    }
}

/// An association's number, 0 for the system; told where it is none.
pub(super) fn association(value: u32, screen: &mut Screen<'_>) -> Option<u16> {
    if let Ok(id) = u16::try_from(value) {
        return Some(id);
    }
    screen.complain(&format!("***Invalid association ID {value} specified\n"));
    None
}

fn association_of(values: &[Value], screen: &mut Screen<'_>) -> Option<u16> {
    association(Value::number(values, 0), screen)
}

pub(super) fn read_list(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if let Some(id) = association_of(values, screen) {
        let list = ntpq.list.clone();
        read(ntpq, &list, id, Kind::of(id), screen);
    }
}

pub(super) fn read_variables(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let Some(id) = association_of(values, screen) else {
        return;
    };
    let words: Vec<&str> = (1..values.len())
        .map(|place| Value::word(values, place))
        .collect();
    let list = VariableList::of(&words, screen);
    read(ntpq, &list, id, Kind::of(id), screen);
}

pub(super) fn read_clock_list(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if let Some(id) = association_of(values, screen) {
        let list = ntpq.list.clone();
        read(ntpq, &list, id, Kind::Clock, screen);
    }
}

pub(super) fn read_clock(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if let Some(id) = association_of(values, screen) {
        let list = VariableList::of(&[Value::word(values, 1)], screen);
        read(ntpq, &list, id, Kind::Clock, screen);
    }
}

/// Asks for the variables of a list, all where it is empty, and shows them; false on failure.
fn read(
    ntpq: &mut Ntpq,
    list: &VariableList,
    id: u16,
    kind: Kind,
    screen: &mut Screen<'_>,
) -> bool {
    let data = list.data(screen);
    let opcode = match kind {
        Kind::Clock => Opcode::ReadClock,
        Kind::System | Kind::Peer => Opcode::ReadVariables,
    };
    let Some(answer) = ntpq.query(&Request::open(opcode, id, data.as_bytes()), screen) else {
        return false;
    };
    let prefix = ntpq.server_prefix();
    screen.say(&prefix);
    if answer.data.is_empty() {
        let clock = if kind == Kind::Clock { " clock" } else { "" };
        screen.say(&match id {
            0 => format!("No system{clock} variables returned\n"),
            _ => format!("No information returned for{clock} association {id}\n"),
        });
        return true;
    }
    // Who asks for few variables wants these and no more.
    let with_status = ntpq.old_rv || list.0.is_empty();
    if with_status {
        screen.say(&format!("associd={id} "));
    }
    let status = with_status.then_some(answer.status);
    show_data(ntpq, &answer.data, status, kind, screen);
    true
}

/// Shows data, with the status word in front where there is one to show.
fn show_data(
    ntpq: &mut Ntpq,
    data: &[u8],
    status: Option<u16>,
    kind: Kind,
    screen: &mut Screen<'_>,
) {
    if !ntpq.raw {
        let text = cooked::text(data, status, kind, |address| ntpq.common.shown(address));
        return screen.say(&text);
    }
    if let Some(status) = status {
        screen.say(&format!("status=0x{status:04x},\n"));
    }
    screen.say(&printable(data).replace("\r\n", "\n"));
}

pub(super) fn write_list(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if let Some(id) = association_of(values, screen) {
        let list = ntpq.list.clone();
        write(ntpq, &list, id, screen);
    }
}

pub(super) fn write_variables(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if let Some(id) = association_of(values, screen) {
        let list = VariableList::of(&[Value::word(values, 1)], screen);
        write(ntpq, &list, id, screen);
    }
}

fn write(ntpq: &mut Ntpq, list: &VariableList, id: u16, screen: &mut Screen<'_>) {
    let data = list.data(screen);
    let request = Request {
        sealed: true,
        ..Request::open(Opcode::WriteVariables, id, data.as_bytes())
    };
    let Some(answer) = ntpq.query(&request, screen) else {
        return;
    };
    let prefix = ntpq.server_prefix();
    screen.say(&prefix);
    if answer.data.is_empty() {
        return screen.say("done! (no data returned)\n");
    }
    screen.say(&format!("associd={id} "));
    let status = Some(answer.status);
    show_data(ntpq, &answer.data, status, Kind::of(id), screen);
}

/// The stretch of the association list between two of them.
fn range(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) -> Option<Vec<u16>> {
    if ntpq.associations.is_empty() {
        ntpq.fetch_associations(screen);
    }
    let mut places = Vec::new();
    for place in 0..2 {
        let value = Value::number(values, place);
        let id = match association(value, screen)? {
            0 => {
                screen.complain("***Invalid association ID 0 specified\n");
                return None;
            }
            id => id,
        };
        let found = ntpq.associations.iter().position(|known| known.id == id);
        let Some(found) = found else {
            screen.complain(&format!("***Association ID {id} not found in list\n"));
            return None;
        };
        places.push(found);
    }
    places.sort_unstable();
    let (from, to) = (*places.first()?, *places.last()?);
    let part = ntpq.associations.get(from..=to)?;
    Some(part.iter().map(|association| association.id).collect())
}

pub(super) fn read_many_lists(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let list = ntpq.list.clone();
    for (place, id) in range(ntpq, values, screen)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if place > 0 {
            screen.say("\n");
        }
        if !read(ntpq, &list, id, Kind::Peer, screen) {
            return;
        }
    }
}

pub(super) fn read_many(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let list = match values.get(2) {
        Some(_) => VariableList::of(&[Value::word(values, 2)], screen),
        None => ntpq.list.clone(),
    };
    for id in range(ntpq, values, screen).into_iter().flatten() {
        if !read(ntpq, &list, id, Kind::Peer, screen) {
            return;
        }
    }
}
