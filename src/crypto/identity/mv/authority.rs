//! The trusted authority of MV: makes the keys, and revokes them.
use super::super::arithmetic::{Modulo, divided, is_one, is_prime, minus, times};
use super::{MvKey, MvParameters};
use crate::keyfile::numbers::{DsaNumbers, Numbers, traditional_pem};
use crate::keyfile::{KeyCipher, KeyFileError, KeyText};
use crate::secret::Secret;
use crate::secret_number::SecretNumber;
use openssl::bn::{BigNum, BigNumContext, BigNumRef, MsbOption};
use openssl::error::ErrorStack;

/// Bits in each prime factor of q, at least.
const FACTOR_BITS_MIN: u32 = 64;

/// What the trusted authority holds: everything.
#[derive(Debug)]
pub struct MvAuthority {
    p: BigNum,
    q: BigNum,
    g: BigNum,
    a: SecretNumber,
    b: SecretNumber,
    server: MvKey,
    clients: Vec<MvParameters>,
    /// The prime factor of q that belongs to each client.
    factors: Vec<SecretNumber>,
}

impl MvAuthority {
    /// Most keys of one group.
    pub const CLIENTS_MAX: u32 = 30;

    /// Bits of the modulus for so many clients when `bits` are wished for: whole octets, because
    /// p15 sends challenges unpadded, and enough for each client's factor.
    #[must_use]
    pub fn modulus_bits(clients: u32, bits: u32) -> u32 {
        bits.max(clients * FACTOR_BITS_MIN).next_multiple_of(8)
    }

    /// Parameters for so many clients, 2 to [`Self::CLIENTS_MAX`]. The last client's key is
    /// revoked from the start: with none revoked, the server's values would all be 1.
    ///
    /// # Errors
    /// OpenSSL's; `WrongKind` for another number of clients.
    pub fn generate(clients: u32, bits: u32) -> Result<Self, KeyFileError> {
        if !(2..=Self::CLIENTS_MAX).contains(&clients) {
            return Err(KeyFileError::WrongKind("2 to 30 MV keys"));
        }
        let bits = Self::modulus_bits(clients, bits);
        let (factors, q, p) = group(clients, bits)?;
        let g = generator(&p, &q, &factors)?;
        let mut in_q = Modulo::new(&q)?;
        let roots = (0..clients)
            .map(|_| unit(&mut in_q).map(SecretNumber::new))
            .collect::<Result<Vec<_>, _>>()?;
        let coefficients = polynomial(&mut in_q, &roots)?;
        confirm(&p, &g, &mut in_q, &roots, &coefficients)?;
        let b = SecretNumber::new(unit(&mut in_q)?);
        let (sum, powers) = power_sum(&mut in_q, &roots)?;
        let inverse = SecretNumber::new(in_q.inverse(&b)?);
        let mut keys = Vec::new();
        for (power, factor) in powers.iter().zip(&factors) {
            let mut weight = divided(&q, factor)?;
            weight.add_word(1)?;
            let others = in_q.difference(&sum, power)?;
            let pair = [
                SecretNumber::new(in_q.product(&weight, power)?),
                SecretNumber::new(in_q.product(&inverse, &others)?),
            ];
            keys.push(MvParameters { p: copy(&p)?, pair });
        }
        // The product of g_i^(x_j^i) over i < n and all j is g to the minus sum of x_j^n.
        let a = SecretNumber::new(Modulo::new(&p)?.power(&g, &*minus(&q, &sum)?)?);
        let last = factors.last().ok_or(KeyFileError::Inconsistent)?;
        let enabled = divided(&q, last)?;
        let server = server(&p, &q, [&g, &a, &b], &enabled)?;
        Ok(Self {
            p,
            q,
            g,
            a,
            b,
            server,
            clients: keys,
            factors,
        })
    }

    /// Reads the trusted authority's file: its own numbers, the server's, then each client's.
    ///
    /// # Errors
    /// What is wrong with it; `LostPublicValue` when it went through PKCS#8.
    pub fn read(text: &KeyText, password: Option<&[u8]>) -> Result<Self, KeyFileError> {
        let mut blocks = text.numbers(password)?.into_iter().map(Numbers::dsa);
        let mut next = || {
            blocks
                .next()
                .unwrap_or(Err(KeyFileError::WrongKind("an MV authority")))
        };
        let own = next()?;
        let server = next()?;
        let b = SecretNumber::new(own.public.ok_or(KeyFileError::LostPublicValue)?);
        let server = MvKey::from_numbers(server)?;
        let clients = blocks
            .map(|block| block.and_then(MvParameters::from_numbers))
            .collect::<Result<Vec<_>, _>>()?;
        if server.p != own.p || clients.iter().any(|client| client.p != own.p) {
            return Err(KeyFileError::Inconsistent);
        }
        let factors = factors(&own.q, &b, &clients)?;
        Ok(Self {
            p: own.p,
            q: own.q,
            g: own.g,
            a: own.private,
            b,
            server,
            clients,
            factors,
        })
    }

    /// Revokes one client's key, counted from 1, in the server's values. Clients in good standing
    /// keep their keys.
    ///
    /// # Errors
    /// `WrongKind` when there is no such client or it is the last; OpenSSL's.
    pub fn revoke(&mut self, client: usize) -> Result<(), KeyFileError> {
        let index = client
            .checked_sub(1)
            .filter(|index| *index < self.clients.len());
        let index = index.ok_or(KeyFileError::WrongKind("a key of that number"))?;
        let mut standing = self.standing()?;
        if let Some(flag) = standing.get_mut(index) {
            *flag = false;
        }
        if !standing.contains(&true) {
            return Err(KeyFileError::WrongKind("another key that stays in force"));
        }
        let mut enabled = BigNum::from_u32(1)?;
        for (factor, _) in self
            .factors
            .iter()
            .zip(&standing)
            .filter(|(_, kept)| **kept)
        {
            enabled = times(&enabled, factor)?;
        }
        self.server = server(&self.p, &self.q, [&self.g, &self.a, &self.b], &enabled)?;
        Ok(())
    }

    /// Which clients' keys verify the server, in their order.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn standing(&self) -> Result<Vec<bool>, KeyFileError> {
        self.clients
            .iter()
            .map(|client| self.server.admits(client))
            .collect()
    }

    /// The server's part.
    #[must_use]
    pub const fn server(&self) -> &MvKey {
        &self.server
    }

    /// The clients' parts.
    #[must_use]
    pub fn clients(&self) -> &[MvParameters] {
        &self.clients
    }

    /// The trusted authority's file.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self, cipher: KeyCipher, password: &[u8]) -> Result<String, KeyFileError> {
        let own = DsaNumbers::der([&self.p, &self.q, &self.g, &self.b, &self.a])?;
        let mut containers = vec![Secret::new(own), self.server.container()?];
        for client in &self.clients {
            containers.push(client.container()?);
        }
        let seal = Some((cipher, password));
        let blocks = containers
            .iter()
            .map(|der| traditional_pem(true, der.octets(), seal));
        blocks.collect()
    }
}

/// Distinct primes, their product q, and the prime p = 2 q + 1 of exactly so many bits.
fn group(clients: u32, bits: u32) -> Result<(Vec<SecretNumber>, BigNum, BigNum), KeyFileError> {
    let each = i32::try_from((bits - 1) / clients).unwrap_or(i32::MAX);
    let mut factors: Vec<SecretNumber> = Vec::new();
    let mut product = BigNum::from_u32(1)?;
    while factors.len() + 1 < usize::try_from(clients).unwrap_or(0) {
        let mut factor = BigNum::new()?;
        factor.generate_prime(each, false, None, None)?;
        if factors.iter().all(|other| other.ucmp(&factor).is_ne()) {
            product = times(&product, &factor)?;
            factors.push(SecretNumber::new(factor));
        }
    }
    // The last factor is chosen so that p comes out prime and of the right length.
    let power = |bits: u32| {
        let mut number = BigNum::new()?;
        number.set_bit(i32::try_from(bits).unwrap_or(i32::MAX))?;
        Ok::<_, ErrorStack>(number)
    };
    let lowest = divided(&*power(bits - 2)?, &product)?;
    let span = minus(&*divided(&*power(bits - 1)?, &product)?, &lowest)?;
    loop {
        let mut factor = BigNum::new()?;
        span.rand_range(&mut factor)?;
        let mut factor = sum(&factor, &lowest)?;
        factor.set_bit(0)?;
        if !is_prime(&factor)? || factors.iter().any(|other| other.ucmp(&factor).is_eq()) {
            continue;
        }
        let q = times(&product, &factor)?;
        let mut p = BigNum::new()?;
        p.lshift1(&q)?;
        p.add_word(1)?;
        if p.num_bits().unsigned_abs() == bits && is_prime(&p)? {
            factors.push(SecretNumber::new(factor));
            return Ok((factors, q, p));
        }
    }
}

fn copy(a: &BigNumRef) -> Result<BigNum, ErrorStack> {
    a.to_owned()
}

fn sum(a: &BigNumRef, b: &BigNumRef) -> Result<BigNum, ErrorStack> {
    let mut out = BigNum::new()?;
    out.checked_add(a, b)?;
    Ok(out)
}

/// A number of order q, not of a divisor of it.
fn generator(p: &BigNum, q: &BigNum, factors: &[SecretNumber]) -> Result<BigNum, KeyFileError> {
    let mut in_p = Modulo::new(p)?;
    'next: loop {
        let mut roll = BigNum::new()?;
        roll.rand(p.num_bits() - 1, MsbOption::MAYBE_ZERO, false)?;
        let g = in_p.product(&roll, &roll)?;
        for factor in factors {
            if in_p.power(&g, &*divided(q, factor)?)?.num_bits() <= 1 {
                continue 'next;
            }
        }
        return Ok(g);
    }
}

/// A random number that has an inverse.
fn unit(in_q: &mut Modulo<'_>) -> Result<BigNum, ErrorStack> {
    loop {
        let number = in_q.random()?;
        if in_q.is_prime_to(&number)? {
            return Ok(number);
        }
    }
}

/// Coefficients of the product of (x - root), that of x^0 first.
fn polynomial(
    in_q: &mut Modulo<'_>,
    roots: &[SecretNumber],
) -> Result<Vec<SecretNumber>, ErrorStack> {
    let mut coefficients = vec![BigNum::from_u32(1)?];
    for root in roots {
        let mut next = vec![BigNum::new()?];
        for coefficient in &coefficients {
            next.push(copy(coefficient)?);
        }
        for (slot, coefficient) in next.iter_mut().zip(&coefficients) {
            *slot = in_q.difference(slot, &*in_q_product(in_q.n, coefficient, root)?)?;
        }
        coefficients = next;
    }
    Ok(coefficients.into_iter().map(SecretNumber::new).collect())
}

fn in_q_product(n: &BigNumRef, a: &BigNumRef, b: &BigNumRef) -> Result<BigNum, ErrorStack> {
    Modulo::new(n)?.product(a, b)
}

/// The product of g_i^(x_j^i) is 1 for every root, g_i being g to the coefficients.
fn confirm(
    p: &BigNum,
    g: &BigNum,
    in_q: &mut Modulo<'_>,
    roots: &[SecretNumber],
    coefficients: &[SecretNumber],
) -> Result<(), KeyFileError> {
    let mut in_p = Modulo::new(p)?;
    let powers = coefficients
        .iter()
        .map(|coefficient| in_p.power(g, coefficient))
        .collect::<Result<Vec<_>, _>>()?;
    for root in roots {
        let (mut product, mut exponent) = (BigNum::from_u32(1)?, BigNum::from_u32(1)?);
        for power in &powers {
            let term = in_p.power(power, &exponent)?;
            product = in_p.product(&product, &term)?;
            exponent = in_q.product(&exponent, root)?;
        }
        if !is_one(&product) {
            return Err(KeyFileError::Inconsistent);
        }
    }
    Ok(())
}

/// The n-th power of each root, and their sum.
fn power_sum(
    in_q: &mut Modulo<'_>,
    roots: &[SecretNumber],
) -> Result<(SecretNumber, Vec<SecretNumber>), ErrorStack> {
    let degree = BigNum::from_u32(u32::try_from(roots.len()).unwrap_or(u32::MAX))?;
    let (mut sum, mut powers) = (BigNum::new()?, Vec::new());
    for root in roots {
        let power = in_q.power(root, &degree)?;
        sum = in_q.sum(&sum, &power)?;
        powers.push(SecretNumber::new(power));
    }
    Ok((SecretNumber::new(sum), powers))
}

/// The server's values for the product of the factors in force.
fn server(
    p: &BigNum,
    q: &BigNum,
    [g, a, b]: [&BigNumRef; 3],
    enabled: &BigNum,
) -> Result<MvKey, KeyFileError> {
    let mut in_p = Modulo::new(p)?;
    let e = SecretNumber::new(in_p.power(a, enabled)?);
    let first = in_p.power(g, enabled)?;
    let second = in_p.power(&first, b)?;
    Ok(MvKey {
        p: copy(p)?,
        q: copy(q)?,
        e,
        pair: [first, second],
    })
}

/// Each client's factor of q, had back from its key: the file has no place for them. From the sum
/// of the second halves comes ΣX, from that X_j, and (q/s_j) X_j is what the first half exceeds it
/// by.
fn factors(
    q: &BigNum,
    b: &SecretNumber,
    clients: &[MvParameters],
) -> Result<Vec<SecretNumber>, KeyFileError> {
    let mut in_q = Modulo::new(q)?;
    let others = u32::try_from(clients.len()).unwrap_or(0).saturating_sub(1);
    if others == 0 {
        return Err(KeyFileError::WrongKind(
            "an MV authority of two clients or more",
        ));
    }
    let (mut total, mut seconds) = (BigNum::new()?, Vec::new());
    for client in clients {
        let second = SecretNumber::new(in_q.product(b, &client.pair[1])?);
        total = in_q.sum(&total, &second)?;
        seconds.push(second);
    }
    let share = in_q.inverse(&*BigNum::from_u32(others)?)?;
    let sum = SecretNumber::new(in_q.product(&total, &share)?);
    let mut found = Vec::new();
    let mut product = BigNum::from_u32(1)?;
    for (client, second) in clients.iter().zip(&seconds) {
        let power = SecretNumber::new(in_q.difference(&sum, second)?);
        let excess = SecretNumber::new(in_q.difference(&client.pair[0], &power)?);
        let mut rest = BigNum::new()?;
        rest.gcd(&excess, q, &mut *BigNumContext::new()?)?;
        let factor = divided(q, &rest)?;
        product = times(&product, &factor)?;
        found.push(SecretNumber::new(factor));
    }
    if product == *q {
        Ok(found)
    } else {
        Err(KeyFileError::Inconsistent)
    }
}
