//! Where a writer says how a text must be handled: on which machines, by whom, for whose eyes.

use super::marking::is_said;
use super::rule::{Needs, Rule};

const HANDLED: &str = "the writer says where or by whom this may be handled";

const fn handled(id: &'static str, cues: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule {
        id,
        family: "marking",
        needs: Needs::Nothing,
        why: HANDLED,
        cues,
        pattern,
        check: is_said,
    }
}

/// How a text must be handled.
pub(super) const HANDLING: &[Rule] = &[
    handled(
        "handling",
        &[
            "local",
            "own machine",
            "own hardware",
            "own server",
            "own gpu",
            "own network",
            "hosted",
            "leaves",
            "in-house",
            "in house",
            "on-prem",
            "on prem",
        ],
        concat!(
            r"(?:\blocal(?:ly)?(?: model| processing)?[ ]only\b|\bon our own (?:machines?|hardware|servers?|gpus?|box(?:es)?|network|premises|systems?|infrastructure)\b",
            r"|\bnot (?:on|by|through|via) any (?:hosted|cloud|external|public|third[- ]party|outside)\b|\bnothing (?:may |can |must |should |ever )?leaves? (?:the|our|this|my)\b",
            r"|\b(?:must|should|has to|may only|can only|please|only)[ ](?:be )?(?:run|stay|kept|processed|handled|done|executed)[ ](?:only )?on (?:the|our) (?:in-?house|on-?prem\w*|local|internal|own)\b",
            r"|\b(?:keep|kept|stays?|remains?|stay) (?:this |it |these |them |all of this |everything )?(?:strictly |only )?(?:in|inside|within) (?:the|our|this) (?:house|company|building|firm|office|organi[sz]ation)\b",
            r"|\b(?:use|take|pick) (?:the |our |an? )?(?:in-?house|on-?prem\w*|local) (?:model|gpu|box|llm|machine)\b|\blocally (?:then|please|only)\b)",
        ),
    ),
    handled(
        "handling",
        &[
            "forbid",
            "prohibit",
            "ban",
            "does not allow",
            "doesn't allow",
            "rules out",
            "only allowed",
            "only permitted",
            "condition that",
            "export-controlled",
            "export controlled",
        ],
        concat!(
            r"(?:\b(?:contracts?|agreements?|clients?|customers?|polic(?:y|ies)|law|nda|rules?|compliance|regulators?|funder|ethics board|works council|union|licen[cs]e|we|it)\b[^\n.]{0,24}\b(?:forbids?|prohibits?|bans?|does not allow|doesn't allow|rules out|do not permit|does not permit)\b[^\n.]{0,50}?\b(?:third[- ]part\w+|external|cloud|outside|hosted|upload\w*|processors?|abroad|ai (?:services?|providers?|tools?))\b",
            r"|\b(?:processing|use|work|handling|it|this|data) (?:is|are|may be) (?:only|solely) (?:allowed|permitted|processed|handled) (?:inside|within|in|on|at) (?:our|the)\b|\bexport[- ]controlled (?:project|data|drawing|technology|part|item)\b)",
        ),
    ),
    handled(
        "handling",
        &["eyes only", "official", "in confidence", "need-to-know", "need to know", "addressee"],
        concat!(
            r"(?:\b(?:for )?(?:the )?addressees?'?s? (?:eyes )?only\b|(?-i:\bOFFICIAL[-: ]{1,3}SENSITIVE\b)|\bclassified: ?(?:commercial|company|business|strictly|internal|secret)[^\n]{0,24}",
            r"|(?:\binternal|\bprivate|\brestricted)[ ]?[,/;–-][ ]?need[- ]to[- ]know\b)",
        ),
    ),
    handled(
        "audience",
        &[
            "till",
            "until",
            "'til",
            "signed",
            "visibility",
            "small circle",
            "nobody else",
            "only for us",
            "just for us",
        ],
        concat!(
            r"(?:\b(?:top[- ]secret|secret|confidential|hush[- ]hush|under wraps|embargoed)[ ,]+(?:till|until|'til)\b|\b(?:only|just) for (?:people|those|the ones|anyone) who(?:'ve| have)? signed\b|\blimited visibility\b",
            r"|\b(?:very |a )small circle\b|\bnobody else (?:gets|has|sees|knows|may see|should see) (?:these|this|it|them)\b|\bhappened,? (?:only|just) for us\b)",
        ),
    ),
    handled(
        "audience_ja",
        &["目に触れ", "に使う問題", "で使う問題", "に出す問題"],
        r"(?:(?:生徒|学生|児童|受験生|社員|従業員|顧客|取引先|競合|他社|外部|本人|家族|記者|マスコミ|人)の目に(?:は)?触れ(?:ない|させない|ては|ると)|(?:入試|入学試験|期末|中間|定期考査|採用試験|検定)[^\n。]{0,6}(?:で|に)(?:使う|出す)(?:予定の)?問題)",
    ),
    handled(
        "marking_opens",
        &["社外秘", "部外秘", "極秘", "厳秘", "機密", "取扱注意", "関係者限り", "対外秘", "㊙"],
        r"(?:^[ \t>#*※■◆●]{0,4}|[「『“\x22])[\[【(]?(?:社外秘|部外秘|極秘|厳秘|機密|取扱(?:い)?注意|関係者限り|対外秘|㊙)(?:[・/／、,][ ]?(?:社外秘|部外秘|極秘|厳秘|機密|取扱(?:い)?注意|関係者限り|対外秘|持出禁止|複写禁止))*[\]】)]?[ 　]{1,3}",
    ),
    handled(
        "handling_ja",
        &[
            "自社",
            "社内",
            "院内",
            "学内",
            "庁内",
            "所内",
            "オンプレ",
            "ローカル",
            "手元",
            "うちの",
            "施設内",
        ],
        concat!(
            r"(?:(?:自社|社内|院内|学内|庁内|所内|館内|施設内|オンプレ(?:ミス)?|ローカル|手元|うち)の?(?:環境|端末|計算機|サーバー?|GPU|PC|マシン|ネットワーク|システム|モデル)?(?:のみ可|だけで(?:[^\n。]{0,6})(?:処理|要約|翻訳|実行)|限定(?:で|。|、|です|\x22|」|$)|で完結|で(?:のみ)?(?:回し|要約し|翻訳し|処理し|実行し|動かし|お願い))",
            r"|(?:社内|部内|所内|チーム内)(?:の)?共有のみ|(?:社内|部内|内輪|身内)だけ(?:に(?:して|留め|とどめ)|の話)|(?:社内|部内)に(?:留めて|とどめて))",
        ),
    ),
    handled(
        "handling_ja",
        &[
            "学外",
            "院外",
            "庁外",
            "社外",
            "外部",
            "クラウド",
            "gpt",
            "claude",
            "gemini",
            "生成ai",
            "持ち出し",
            "持出",
            "営業秘密",
            "親展",
            "閲覧禁止",
            "オフレコ",
        ],
        concat!(
            r"(?:(?:学外|院外|庁外|社外|外部|クラウド|GPT|ChatGPT|Claude|Gemini|生成AI)(?:とか|など|等|や[^\n。]{0,10})?(?:の)?(?:サービス|AI|サーバー?|業者|ツール|モデル)?(?:とか|など|等)?(?:に|へ|には)(?:は)?[^\n。]{0,8}?(?:かけない|入力でき(?:ません|ない)|入れられ(?:ません|ない)|投げない|投げずに|貼らない|渡さない|送れ(?:ません|ない)|出せ(?:ません|ない)|(?:上げる|出す|入れる|送る)の(?:は|が|を)?(?:禁止|NG|だめ|ダメ|不可))",
            r"|(?:持ち出し|持出し?)(?:は)?(?:厳禁|禁止|不可)|営業秘密に(?:該当|当た|あた)|(?:本|この)(?:メール|文書|書類|手紙|封書)は親展|(?:関係者|当事者|許可者)以外(?:の)?(?:閲覧|開封|配布)(?:を)?禁|[・、,/ 　]閲覧禁止|(?:は|内容は)オフレコ)",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(HANDLING, text)
    }

    #[test]
    fn where_it_may_be_handled_is_found() {
        for text in [
            "local only pls. sort this list",
            "Keep it on our own machines, not on any hosted model.",
            "must run on the in-house box; the contract forbids third-party processors",
            "GPTとかに投げないで、うちのGPUで回して",
            "学外のサービスに入力できません。学内の計算機で要約してください。",
            "以下は当社の営業秘密に該当する資料です",
            "name ideas, top secret till the fair",
            "deck only for people who signed: make slide 5 punchier",
            "来月の期末で使う問題です。生徒の目に触れないように。",
            "社外秘 来期の組織改定。三行で。",
            "英語に。『取扱注意・関係者限り 返還の方向で調整中』",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn talk_of_places_and_rules_is_not() {
        for text in [
            "Run the tests locally and fix the local variable.",
            "クラウドに移行する手順を書いて。ローカルでテストも。",
            "Explain what need-to-know means.",
            "機密 という言葉の意味",
            "Keep the visibility limited to the module.",
            "Wait until the secret is created.",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
