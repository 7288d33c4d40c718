//! Matters of law that are somebody's own: advice, strategy, statements, reports of wrongs.
//!
//! "What is a deposition" is a question; a statement in a named case, or what counsel
//! said to us, belongs to the parties alone.

use super::rule::{Hit, Needs, Rule};

const LAW: &str = "this is a legal matter of somebody in particular";

const fn matter(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "business", needs: Needs::Nothing, why: LAW, cues, pattern, check }
}

/// Matters of law.
pub(super) const LEGAL: &[Rule] = &[
    matter(
        "legal_matter",
        &[
            "under seal",
            "sealed",
            "case no",
            "case number",
            "cv-",
            "docket",
            "court file",
            "matter no",
        ],
        r"(?:\bunder seal\b|\bsealed (?:case|filing|record|motion|exhibit)|\b\d:\d\d-(?:cv|cr|mc|bk)-\d{3,6}|\b(?:case|docket|court file|matter|claim) (?:no\.?|number|ref\w*)[ :#]{0,3}[A-Z]{0,4}[-/]?\d[\w/-]{3,})",
        is_own,
    ),
    matter(
        "legal_matter",
        &[
            "counsel",
            "lawyer",
            "solicitor",
            "attorney",
            "barrister",
            "legal team",
            "legal advi",
            "legal department",
        ],
        concat!(
            r"(?:\b(?:prepare|prep) (?:me )?for (?:my |the )?(?:cross-examination|deposition|hearing|tribunal)\b|\bsubpoena\b[^\n]{0,60}?\b(?:we|our|i)\b|\b(?:nda )?breach (?:letter|notice) to (?-i:[A-Z])|\bdivorce\b[^\n]{0,20}?\b(?:she|he|i) (?:gets?|keeps?)\b|\b(?:our|my|outside|external|in-?house|general|the company'?s|company|his|her) (?:counsel|lawyers?|solicitors?|attorneys?|barrister|legal (?:team|department|advis[eo]rs?))(?:'s)?\b[^\n.]{0,40}?\b(?:says?|said|thinks?|advis\w+|told|warns?|warned|advice|recommends?|recommended|wrote|believes?|opinion|memo|letter|notes?|view|strategy|draft)\b",
            r"|\b(?:advice|opinion|memo|letter|e-?mail|note|notes|call) (?:from|with|to|of) (?:our|my|the|outside|external|general)? ?(?:counsel|lawyers?|solicitors?|attorneys?|barrister|legal)\b[^\n]{0,80}?(?:\b(?:we|our|us|i|my|exposure|liab\w+|risk|settle\w*|claim)\b|\d)",
            r"|\b(?:to|for|with) (?:the )?(?:claimant|plaintiff|defendant|respondent|opposing|other side)(?:'s)? (?:counsel|lawyers?|solicitors?|attorneys?))",
        ),
        is_own,
    ),
    matter(
        "legal_matter",
        &[
            "without prejudice",
            "without-prejudice",
            "settlement",
            "litigation",
            "lawsuit",
            "claimant",
            "plaintiff",
            "defendant",
            "tribunal",
            "arbitration",
            "subpoena",
        ],
        concat!(
            r"(?:\bwithout[- ]prejudice (?:letter|offer|e-?mail|meeting|proposal|call)\b|\b(?:settlement|litigation|trial|defen[cs]e|arbitration|negotiation) (?:strategy|budget|hold|position|authority|range)\b[^\n]{0,100}?(?:\d|\b(?:we|our|v\.?|vs\.?)\b)",
            r"|\b(?:we|our|my (?:company|client|firm|employer)|client)\b[^\n.]{0,60}?\b(?:sued|being sued|lawsuit|litigation|tribunal|arbitration|subpoena\w*|claimant|plaintiff|defendant)\b",
            r"|\b(?:claimant|plaintiff|defendant|respondent|tribunal|settlement)\b[^\n]{0,60}?(?-i:\b[A-Z][a-z]+ (?:v|vs)\.? [A-Z][a-z]+))",
        ),
        is_own,
    ),
    matter(
        "legal_matter",
        &[
            "witness statement",
            "affidavit",
            "deposition",
            "sworn statement",
            "whistleblow",
            "reporter",
            "whistle-blow",
            "internal investigation",
            "anonymous report",
            "anonymous tip",
        ],
        concat!(
            r"(?:\b(?:witness statement|affidavit|deposition|sworn statement)\b[^\n]{0,60}?(?:\bI, |(?-i:[A-Z][a-z]+ [A-Z][a-z]+)|\bcase\b)",
            r"|\bwhistle-?blow(?:er|ing)\b[^\n]{0,30}?\b(?:report|says|said|claims|alleges|complaint|named|identity|from)\b[^\n]{0,100}?(?:\b(?:plant|site|office|department|team|supervisor|manager|director|ceo|cfo|our|identity)\b)",
            r"|\bidentity of (?:the )?(?:reporter|whistle-?blower|complainant|source|informant)\b|\binternal investigation\b[^\n]{0,60}?\b(?:our|we|into|against|found)\b[^\n]{0,60}?(?-i:[A-Z][a-z]+)",
            r"|\banonymous (?:report|tip|complaint)\b[^\n]{0,80}?\b(?:manager|supervisor|director|team|site|plant|our)\b)",
        ),
        is_own,
    ),
    matter(
        "legal_matter",
        &[
            "regulator",
            "investigation",
            "inquiry",
            "enquiry",
            "the ico",
            "the sec",
            "the fca",
            "the ftc",
            "tax authorit",
            "audit",
            "hmrc",
            "the irs",
            "dawn raid",
        ],
        concat!(
            r"(?:\b(?:regulator|ico|sec|fca|ftc|doj|fda|hmrc|irs|bafin|cnil|antitrust|competition authority|tax (?:authorit\w+|office)|ombudsman|inspector\w*|prosecutor)(?:'s|s')?\b[^\n.]{0,40}?\b(?:investigation|inquiry|enquiry|letter|questions?|subpoena|notice|request|complaint|fine|raid|audit|probe)\b[^\n]{0,120}?\b(?:we|our|us|i|my company)\b",
            r"|\b(?:we|our|us)\b[^\n.]{0,60}?\b(?:under investigation|regulator's|investigated by|subpoena\w*|dawn raid|self-report\w*)\b",
            r"|\b(?:we|i) (?:already |all |only )?(?:knew|were aware|covered (?:it|this) up|hid|backdated|deleted the|did(?:n't| not) (?:disclose|report|declare|tell))\b)",
        ),
        is_own,
    ),
    matter(
        "legal_matter_ja",
        &[
            "弁護士",
            "法務",
            "訴訟",
            "訴状",
            "答弁書",
            "準備書面",
            "調停",
            "示談",
            "和解",
            "仮処分",
            "内容証明",
            "労働審判",
            "告訴",
            "監督署",
            "公取",
            "行政処分",
            "立入検査",
            "税務調査",
            "査察",
        ],
        concat!(
            r"(?:(?:顧問|担当)?(?:弁護士|法務部?|代理人)(?:への|に|と|からの|から|の先生)[^\n。]{0,40}?(?:相談|回答|助言|意見|見解|指摘|打ち合わせ|指示|メモ|報告)[^\n]{0,60}?(?:社長|要約|当社|弊社|うち|我が社|内容|相手|先方|顧客|さん|様|氏|[0-9])",
            r"|(?:訴訟|訴状|答弁書|準備書面|調停|示談|和解案?|仮処分|内容証明|労働審判|告訴状|反訴)[^\n]{0,60}?(?:当社|弊社|うち|我が社|先方|相手方|申立人|原告|被告|さん|様|氏|金額|[0-9]万|万円|[0-9]円|反論|譲歩|上限|落としどころ)",
            r"|(?:当社|弊社|うち|我が社)[^\n]{0,60}?(?:訴え(?:られ|る)|訴訟|示談|和解|監督署|行政処分|立入検査|税務調査|公取|査察|告訴)|内部監査[^\n。]{0,20}(?:不正|見つか|発覚)|未払残業[^\n。]{0,20}(?:請求|回答|反論)|離婚協議書[^\n]{0,30}(?:親権|養育費|万)|被害届[^\n]{0,30}(?:昨夜|昨日|元夫|元妻|隣|住所))",
        ),
        is_own_ja,
    ),
    matter(
        "legal_matter_ja",
        &[
            "内部通報",
            "公益通報",
            "通報者",
            "告発",
            "遺言",
            "遺産",
            "相続",
            "改ざん",
            "隠蔽",
            "知っていた",
            "知りながら",
            "不正",
        ],
        concat!(
            r"(?:(?:内部通報|公益通報|通報|告発)(?:者|書|状|の)?[^\n]{0,60}?(?:改ざん|不正|隠蔽|横領|ハラスメント|工場長|部長|課長|製造部|営業部|経理|さん|氏|指示|匿名)",
            r"|(?:遺言|遺産分割|遺産|相続)[^\n]{0,40}?(?:自宅|預金|株式|長男|長女|次男|次女|三男|妻|夫|[0-9]万|億)",
            r"|(?:当社|弊社|うち|我が社|工場|部長)[^\n。]{0,30}?(?:知っていた|知りながら|隠し|隠蔽|改ざん|偽装|不正))",
        ),
        is_own_ja,
    ),
];

/// Whether a match is no lesson, form or story.
fn is_own(hit: &Hit<'_>) -> bool {
    const GENERAL: &[&str] = &[
        "explain",
        "what is",
        "what are",
        "what does",
        "what's the",
        "how to",
        "definition",
        "meaning of",
        "difference between",
        "template",
        "fictional",
        "hypothetical",
        "case study",
        "textbook",
        "in general",
        "generic",
        "generally",
        "sample",
        "imaginary",
        "invented",
        "mock",
        "moot",
        "quiz",
        "essay",
        "article about",
        "blog post",
        "history of",
        "famous",
        "novel",
        "screenplay",
        "role-play",
        "supreme court",
        "[name]",
        "{name}",
        "<name>",
        "[party",
        "law students",
        "flashcards",
        "landmark",
        "example of",
        "stack trace",
        "unit test",
        "http ",
        "reporter plugin",
        "junit",
    ];
    let around = hit.around(160);
    !GENERAL.iter().any(|sign| around.contains(sign))
}

/// The same in Japanese.
fn is_own_ja(hit: &Hit<'_>) -> bool {
    const GENERAL: &[&str] = &[
        "とは",
        "の違い",
        "仕組み",
        "一般的",
        "一般論",
        "テンプレート",
        "雛形",
        "ひな形",
        "架空",
        "例文",
        "サンプル",
        "歴史",
        "ニュース",
        "用語",
        "書き方",
        "注意点",
        "空欄",
        "入門",
        "教科書",
        "小説",
        "流れを教えて",
        "制度",
        "ドラマ",
        "法学部",
        "試験",
        "判例",
        "基礎知識",
        "方法を教えて",
        "ポスター",
        "窓口の案内",
    ];
    let around = hit.around(120);
    !GENERAL.iter().any(|sign| around.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(LEGAL, text)
    }

    #[test]
    fn a_matter_of_somebody_is_found() {
        for text in [
            "our counsel said we should not answer before June",
            "Draft the without-prejudice letter to the claimant's solicitors",
            "reply to the regulator's investigation. We knew in April.",
            "弁護士への相談内容を整理して。当社は瑕疵を知っていた",
            "内部通報の要約。検査記録の改ざんを工場長が指示",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn law_in_general_is_not() {
        for text in [
            "What is a deposition and how does a sealed case work?",
            "Write a template for a settlement letter",
            "内部通報制度とは何ですか",
            "弁護士に相談する方法を教えて",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
