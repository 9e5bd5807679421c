//! Names of people. The data knows one athlete, so a claim about somebody else cannot be checked.

use super::token::Token;

#[rustfmt::skip]
const FIRST_NAMES: &str = " adam adrian agnes alan albert alberto alejandro alessandro alessia alex alexander alexandra alfred alice alina amanda amelia amy ana andre andrea andreas andrew angela angelo anita anke anna anne annika antoine antonio arthur astrid aurélie axel barbara beate beatrice ben benedikt benjamin bernd bernhard bettina birgit bob brian bruno camille carina carla carlos carmen carol caroline catherine cecilia celine charlotte chiara chloe chris christian christina christine christoph christopher claire clara claudia clemens colin cristina daisy dan daniel daniela dave david davide debbie denis diana diego dieter dirk dominik dominique donna dora doris dorothea eddie edith edward elena eleni eli elias elisa elisabeth elizabeth ella ellen elena elsa emil emilia emily emma enrico eric erik erika ernst esther eva evelyn fabian fabio federico felipe felix ferdinand fernando filip florian francesca francesco francisco franco frank franz fred frederik frida friedrich gabriel gabriele gary gavin georg george gerald gerhard gianni gina giovanni giulia giuseppe gloria graham greg gregor guido guillaume günter gustav hanna hannah hannes hans harald harry heather heidi heike heinz helen helena helga helmut henri henry herbert holger horst hugo ian ida ignacio inès ines ingrid irene isabel isabella isabelle ivan jack jakob james jan jana jane janet janine jasmin jason javier jean jeff jennifer jenny jens jessica jim joachim joan joanna joe johanna johannes john jon jonas jonathan jorge josé josef josefine joshua juan judith julia julian juliane julie julien jürgen justin kai karen karin karl karla katharina kate katherine kathrin kathy katja kayla keith kelly ken kerstin kevin kim klara klaus konrad konstantin kristin kurt lara larry lars laura laurent lea lena leo leon leonardo leonie liam lilly lina linda lisa lise lorenz lorenzo louis louise luca lucas lucia lucy ludwig luis luisa lukas luke lydia maddalena magdalena manfred manuel manuela mara marc marcel marco marcus margaret margarita maria marie mario marion marion mark markus marlene marta martha martin martina mary mateo mathias matilda matt matteo matthew matthias maurice max maximilian maya megan melanie melissa mia michael michaela michel michelle miguel mike mila miriam mohamed moritz nadia nadine nancy natalia natalie nathan nick nicola nicolas nicole niels nina noah nora norbert olaf oliver olivia olivier oscar oskar otto pablo paola paolo pascal pat patricia patrick paul paula pauline pedro peggy peter petra phil philip philipp pia pierre pietro pilar rachel rainer ralf ralph raphael raquel rebecca regina reinhard renate rené ricardo riccardo richard rick rita rob robert roberta roberto robin roger roland rolf roman rosa rosie roxanne rudolf ruth ryan sabine sabrina sally sam samuel sandra sara sarah scott sean sebastian selina sergio sharon silke silvia simon simone sofia sofie sonja sophia sophie stefan stefanie stella stephan stephanie stephen steve steven sue susan susanne sven sylvia tamara tanja tara teresa theo theresa thomas thorsten tim timo tina tobias todd tom tony torsten ulrich ulrike ursula uwe valentin valentina valeria vanessa vera verena veronika victor victoria viktor viktoria vincent vincenzo viola virginia walter wendy werner will wilhelm william wolfgang xavier yannick yvonne zoe ";

pub(super) fn is_first_name(word: &str) -> bool {
    FIRST_NAMES.contains(&format!(" {word} ")) && word != "will"
}

/// What people do, as opposed to paces and plans.
const ACTS: [&str; 16] = [
    "runs", "rides", "swims", "walks", "stands", "leads", "läuft", "fährt", "schwimmt", "steht", "court",
    "roule", "nage", "corre", "nuota", "pedala",
];

/// Whether a person acts at the start of `tokens`: `Zoltan rides`.
pub(super) fn acts(tokens: &[Token]) -> bool {
    let next = tokens.get(1).and_then(Token::word);
    let is_name = tokens.first().and_then(Token::word).is_some_and(|word| {
        !matches!(
            word,
            "she"
                | "he"
                | "it"
                | "who"
                | "der"
                | "die"
                | "er"
                | "sie"
                | "elle"
                | "il"
                | "lei"
                | "lui"
                | "ella"
                | "él"
                | "that"
        )
    });
    is_name && next.is_some_and(|next| ACTS.contains(&next))
}
