//! Variables of a reference clock (RFC 9327 §4.3 and the reference's).
use super::text::{Text, Unknown, Value, select};
use truechimer_wire::ReferenceId;

/// What the variables are made from.
#[derive(Clone, Debug)]
pub(crate) struct ClockView {
    pub(crate) driver: u8,
    /// What the driver calls itself.
    pub(crate) device: &'static str,
    pub(crate) polls: u32,
    pub(crate) stratum: u8,
    pub(crate) reference_id: ReferenceId,
}

type Get = fn(&ClockView) -> Value;

/// Name, whether it is shown unasked, and value. Drivers here have no fudge times and no time code;
/// asked for by name they are shown as what they are, as the reference does.
const VARIABLES: &[(&str, bool, Get)] = &[
    ("type", false, |v| Value::Unsigned(v.driver.into())),
    ("timecode", true, |_| Value::Quoted(String::new())),
    ("poll", true, |v| Value::Unsigned(v.polls.into())),
    ("noreply", true, |_| Value::Unsigned(0)),
    ("badformat", true, |_| Value::Unsigned(0)),
    ("baddata", true, |_| Value::Unsigned(0)),
    ("fudgetime1", false, |_| Value::Fixed(0.0, 3)),
    ("fudgetime2", false, |_| Value::Fixed(0.0, 3)),
    ("stratum", true, |v| Value::Unsigned(v.stratum.into())),
    ("refid", true, |v| {
        super::peer_variables::reference(v.reference_id, 0)
    }),
    ("flags", true, |_| Value::Unsigned(0)),
    ("device", false, |v| Value::Quoted(v.device.to_owned())),
    ("clock_var_list", false, |_| Value::Quoted(list())),
];

impl ClockView {
    /// Writes the variables that are asked for, or the default ones.
    pub(crate) fn write(&self, request: &[u8], text: &mut Text) -> Result<(), Unknown> {
        let known: Vec<&str> = VARIABLES.iter().map(|(name, ..)| *name).collect();
        let chosen = select(request, &known)?;
        if chosen.is_none() {
            text.put("device", &Value::Quoted(self.device.to_owned()));
        }
        for (place, (name, is_default, get)) in VARIABLES.iter().enumerate() {
            let wanted = chosen
                .as_ref()
                .map_or(*is_default, |chosen| chosen.contains(&place));
            if wanted {
                text.put(name, &get(self));
            }
        }
        Ok(())
    }
}

fn list() -> String {
    let names = VARIABLES.iter().map(|(name, ..)| *name);
    names.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_reference_shows_its_local_clock() {
        let view = ClockView {
            driver: 1,
            device: "Undisciplined local clock",
            polls: 4,
            stratum: 10,
            reference_id: ReferenceId::from_letters("LOCL"),
        };
        let mut text = Text::default();
        view.write(b"", &mut text).expect("nothing asked");
        let expected = "device=\"Undisciplined local clock\", timecode=\"\", poll=4, noreply=0,\r\n\
                        badformat=0, baddata=0, stratum=10, refid=LOCL, flags=0\r\n";
        assert_eq!(String::from_utf8(text.finish()).as_deref(), Ok(expected));
        let mut text = Text::default();
        assert_eq!(view.write(b"type,nonsense", &mut text), Err(Unknown));
        view.write(b"type, fudgetime1", &mut text).expect("known");
        let written = String::from_utf8(text.finish());
        assert_eq!(written.as_deref(), Ok("type=1, fudgetime1=0.000\r\n"));
    }
}
