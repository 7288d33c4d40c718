//! Secrets and markings in the languages of the neighbours: German, French, Spanish, Italian,
//! Portuguese, Dutch, Polish, Russian, Chinese and Korean; secrets in a dozen more.
//!
//! Only what is plain in each: a credential's word with a value behind it, and the words
//! that mark a paper.

use super::marking::is_said;
use super::rule::{Hit, Needs, Rule};
use super::value::{bare, is_made_up, is_placeholder, is_quality};

/// A credential in any of them.
const CUES: &[&str] = &[
    "kennwort",
    "passwort",
    "zugangscode",
    "mot de passe",
    "code d'acc",
    "code du",
    "code de",
    "contrase",
    "clave",
    "código",
    "codigo",
    "senha",
    "palavra-passe",
    "parola d'ordine",
    "wachtwoord",
    "hasło",
    "пароль",
    "mật khẩu",
    "lösenord",
    "adgangskode",
    "passord",
    "salasana",
    "heslo",
    "şifre",
    "kata sandi",
    "jelszó",
    "κωδικό",
    "κωδικο",
    "รหัสผ่าน",
    "पासवर्ड",
    "كلمة المرور",
    "كلمة السر",
    "סיסמ",
    "parol",
    "密码",
    "密碼",
    "口令",
    "비밀번호",
    "암호",
];

/// What these languages say.
pub(super) const LANGUAGES: &[Rule] = &[
    Rule {
        id: "told_abroad",
        family: "prose",
        needs: Needs::Nothing,
        why: "a secret is told here",
        cues: CUES,
        pattern: concat!(
            r"(?:kennwort|passwort|zugangscode|mot de passe|code (?:d'acc[eè]s|du coffre|de la porte|du portail)|contrase[nñ]a|\bclave\b|c[oó]digo de (?:acceso|seguridad)|\bsenha\b|palavra-passe|parola d'ordine|wachtwoord|hasło|пароль|mật khẩu|lösenord|adgangskode|passord|salasana|heslo|şifre|kata sandi|jelszó|κωδικ[όο][ςσ]|รหัสผ่าน|पासवर्ड|كلمة (?:المرور|السر)|סיסמ[הא]|parol[aă])",
            r"[^\n.!?]{0,48}?(?:[:=]|\b(?:lautet|ist|war|est|es|é|is|jest|era|son)\b|это|→|—|-)[ \t]{0,3}(?:(?:jetzt|nun|ab heute|wieder|maintenant|désormais|ahora|adesso|agora|nu|teraz|теперь|сейчас)[ ])?[\x22'«„“`‘]{0,2}(?P<v>[^\s\x22'«»„“”`’]{4,60})",
        ),
        check: is_value,
    },
    Rule {
        id: "told_abroad",
        family: "prose",
        needs: Needs::Nothing,
        why: "a secret is told here",
        cues: &["密码", "密碼", "口令", "비밀번호", "암호"],
        pattern: r"(?:密码|密碼|口令|비밀번호|암호)(?:是|为|為|:|=|은|는|이|가|改成|设为|を)?[ \t]{0,3}[\x22'「『“]?(?P<v>[!-~]{4,60}?)(?:[^!-~]|$)",
        check: is_value,
    },
    Rule {
        id: "told_abroad",
        family: "prose",
        needs: Needs::MadeUp,
        why: "a secret is told here",
        cues: CUES,
        pattern: r"(?:kennwort|passwort|mot de passe|contrase[nñ]a|\bclave\b|\bsenha\b|wachtwoord|hasło|пароль|mật khẩu|lösenord|adgangskode|passord|salasana|heslo|şifre|kata sandi|jelszó|κωδικ[όο][ςσ]|รหัสผ่าน|पासवर्ड|كلمة (?:المرور|السر)|סיסמ[הא]|parol[aă])[^\n.!?:=]{0,40}?[ ][«„“‘]?(?P<v>[!-~]{0,40}\d[!-~]{0,40})",
        check: is_made_up_abroad,
    },
    Rule {
        id: "code_abroad",
        family: "prose",
        needs: Needs::Nothing,
        why: "a number that opens something is told here",
        cues: &[
            "код",
            "домофон",
            "сейф",
            "подъезд",
            "code d",
            "código d",
            "codice d",
            "zahlencode",
            "türcode",
            "tresor",
            "alarmcode",
            "deurcode",
            "kod do",
            "门禁",
            "开门码",
            "保险箱",
            "현관",
            "도어락",
            "금고",
        ],
        pattern: concat!(
            r"(?:код (?:домофона|сейфа|двери|ворот|подъезда|замка|от [^\s\d]{2,20})|code (?:de la porte|de l'alarme|du portail|du coffre|d'entrée)|código (?:de la |del |da |do )(?:puerta|alarma|caja|portal|porta|cofre)",
            r"|codice (?:della |del |dell')(?:porta|allarme|cassaforte|cancello)|zahlencode|türcode|alarmcode|deurcode|tresor\b|kod do (?:drzwi|sejfu|bramy|domofonu)|门禁码?|开门码|保险箱(?:密码)?|현관|도어락|금고)[^\n\d.]{0,24}?(?P<v>\d{4,8})(?:[^\d]|$)",
        ),
        check: |hit| hit.value().len() != 4 || !hit.value().starts_with(['1', '2']),
    },
    Rule {
        id: "marking_abroad",
        family: "marking",
        needs: Needs::Nothing,
        why: "the text is marked as not for everybody",
        cues: &[
            "vertraulich",
            "internen gebrauch",
            "geheim",
            "confidentiel",
            "usage interne",
            "confidencial",
            "uso interno",
            "riservato",
            "uso interno",
            "vertrouwelijk",
            "poufne",
            "конфиденциально",
            "机密",
            "保密",
            "内部资料",
            "不得外传",
            "기밀",
            "대외비",
        ],
        pattern: concat!(
            r"(?:(?:^|[\[(*>:.!] ?)(?:streng )?(?:vertraulich|geheim)\b|\bnur f[uü]r den internen gebrauch\b|\bbetriebsgeheimnis|(?:^|[\[(*>:.!] ?)(?:strictement )?confidentiel(?:le)?\b|\b[aà] usage interne\b",
            r"|(?:^|[\[(*>:.!] ?)(?:estrictamente )?confidencial\b|\b(?:de )?uso (?:exclusivamente )?interno\b|(?:^|[\[(*>:.!] ?)(?:strettamente )?riservato\b|(?:^|[\[(*>:.!] ?)(?:strikt )?vertrouwelijk\b|(?:^|[\[(] ?)poufne\b|строго конфиденциально",
            r"|(?:请|須|需|严格)保密|内部资料[,，。 ]|不得外传|(?:^|[\[【(])机密(?:[\]】):：]|$)|대외비|(?:^|[\[(])기밀(?:[\]):]|$))",
        ),
        check: is_said,
    },
    Rule {
        id: "marking_begins",
        family: "marking",
        needs: Needs::Nothing,
        why: "the text is marked as not for everybody",
        cues: &[
            "top secret",
            "strictly confidential",
            "private and confidential",
            "internal only",
            "not for distribution",
        ],
        pattern: r"^[ \t>*\x22']{0,6}(?:top[- ]secret|strictly confidential|private (?:and|&) confidential|internal only|not for distribution)[ ]?[.!:–—-]{1,2}[ ]",
        check: is_said,
    },
];

/// A value that no verb gives, so that it must be one by its looks: a letter, a digit, and no place.
fn is_made_up_abroad(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value()).trim_end_matches(['!', '?', ')', ';']);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let signs = value.bytes().any(|b| b"!#$%^&*+=~?".contains(&b));
    (digits >= 2 || digits == 1 && signs)
        && value.len() >= 6
        && is_made_up(value)
        && !is_placeholder(value)
        && !is_quality(value)
        && !value.contains(['@', '/', '(', '{', '<'])
}

fn is_value(hit: &Hit<'_>) -> bool {
    let value = bare(hit.value()).trim_end_matches(['!', '?', ')']);
    let number = value.bytes().all(|b| b.is_ascii_digit()) && (4..=12).contains(&value.len());
    !is_placeholder(value)
        && !is_quality(value)
        && !value.contains("://")
        && (number || value.len() >= 6 && is_made_up(value))
}

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(LANGUAGES, text)
    }

    #[test]
    fn secrets_and_markings_are_found() {
        let word = format!("maple{}", 41 * 49);
        for text in [
            format!("das Kennwort für den Zeitserver lautet {word}"),
            format!("le mot de passe de la boîte est {word}."),
            format!("la contraseña nueva es {word}"),
            format!("密码是{word}。"),
            "门禁密码939762，经理".to_owned(),
            format!("das Kennwort der Kasse lautet jetzt {word}"),
            format!("пароль от роутера {word}, логин lager"),
            format!("lösenordet till kassan {word}, byt inte"),
            format!("رقم الخزنة وكلمة المرور {word}"),
            "Код домофона 9102, ключ у соседки".to_owned(),
            "le code de la porte est le 60194".to_owned(),
            "Vertraulich: Der Vorstand".to_owned(),
            "Top secret. The price rises".to_owned(),
        ] {
            assert!(found(&text), "{text}");
        }
    }

    #[test]
    fn talk_of_them_is_not() {
        for text in [
            "Das Passwort muss 12 Zeichen haben.",
            "Le mot de passe est trop court",
            "密码长度至少8位",
            "Mot de passe oublié : la norme ISO27001 et OAuth2",
            "Код ошибки 4040 в приложении",
            "Der Tresor wurde 1998 gebaut.",
            "How do I say vertraulich in English?",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
