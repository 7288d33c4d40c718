//! The pieces that texts are made of: chance, names, words, and values that look live.

/// A small generator, the same on every machine.
pub(crate) struct Chance(u64);

impl Chance {
    /// Chance that begins at a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % n.max(1)
    }

    /// One of several.
    pub(crate) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// So many letters of an alphabet.
    pub(crate) fn letters(&mut self, alphabet: &str, count: usize) -> String {
        let all: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| all[self.below(all.len())]).collect()
    }

    /// Letters and digits of any case.
    pub(crate) fn token(&mut self, count: usize) -> String {
        self.letters("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", count)
    }

    /// Hexadecimal digits.
    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.letters("0123456789abcdef", count)
    }

    /// Digits.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        self.letters("0123456789", count)
    }

    /// A password as people make them.
    pub(crate) fn password(&mut self) -> String {
        let (a, b) = (self.of(WORDS), self.of(WORDS));
        let n = 10 + self.below(89);
        match self.below(4) {
            0 => format!("{}{n}!", capital(a)),
            1 => format!("{a}-{b}-{n}"),
            2 => format!("{}{}{n}", capital(a), capital(b)),
            _ => format!("{}#{}", self.token(5), self.token(4)),
        }
    }

    /// A name in English.
    pub(crate) fn person(&mut self) -> String {
        format!(
            "{} {}",
            self.of(&["Alma", "Bruno", "Clara", "Dario", "Edith", "Felix"]),
            self.of(&["Brandt", "Castillo", "Dunmore", "Eklund", "Farrow", "Grieve"])
        )
    }

    /// A name in Japanese.
    pub(crate) fn person_ja(&mut self) -> String {
        format!(
            "{} {}",
            self.of(&["佐藤", "鈴木", "高橋", "渡辺", "小林"]),
            self.of(&["太郎", "花子", "健一", "美咲", "翔太"])
        )
    }

    /// The number of a mobile telephone in Japan.
    pub(crate) fn mobile(&mut self) -> String {
        format!("090-{}{}-{}", 1 + self.below(9), self.digits(3), self.digits(4))
    }

    /// A card's number with its check digit.
    pub(crate) fn card(&mut self) -> String {
        let body = format!("45{}", self.digits(13));
        let sum: u32 = body
            .bytes()
            .rev()
            .enumerate()
            .map(|(n, b)| {
                let d = u32::from(b - b'0') * (2 - n as u32 % 2);
                d / 10 + d % 10
            })
            .sum();
        let whole = format!("{body}{}", (10 - sum % 10) % 10);
        [&whole[..4], &whole[4..8], &whole[8..12], &whole[12..]].join(" ")
    }

    /// A マイナンバー with its check digit.
    pub(crate) fn my_number(&mut self) -> String {
        let body = format!("{}{}", 1 + self.below(9), self.digits(10));
        let sum: u32 = body
            .bytes()
            .rev()
            .zip(1u32..)
            .map(|(b, n)| u32::from(b - b'0') * if n <= 6 { n + 1 } else { n - 5 })
            .sum();
        let rest = sum % 11;
        format!("{body}{}", if rest < 2 { 0 } else { 11 - rest })
    }
}

/// A word with its first letter as a capital.
pub(crate) fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// Words of which passwords are made.
pub(crate) const WORDS: &[&str] = &[
    "walrus", "lantern", "granite", "monsoon", "pepper", "juniper", "saddle", "cobalt", "thistle",
    "harbour", "meadow", "copper",
];
