//! What the pages say in French when something fails.

use super::super::failures::{FailureWords, NoticeWords, ProblemWords, RefusalWords, StepWords, TitledWords};

pub(super) static WORDS: FailureWords = FailureWords {
    notices: NoticeWords {
        no_email: "Saisissez l’adresse e-mail de votre compte Garmin.",
        no_password: "Saisissez le mot de passe de votre compte Garmin.",
        not_kept: "Garmin a accepté votre connexion, mais la passerelle n’a pas pu l’enregistrer. Réessayez dans une minute. Si cela échoue encore, prévenez {operator}.",
        wrong: "Cet e-mail et ce mot de passe n’ont pas été acceptés. Vérifiez-les sur connect.garmin.com, car trop d’erreurs bloquent un compte. S’ils y fonctionnent, demandez à {operator} si cette adresse est invitée.",
        locked: "Garmin a bloqué ce compte. Connectez-vous sur connect.garmin.com, suivez les étapes indiquées (souvent un nouveau mot de passe), puis revenez.",
        restricted: "Garmin ne permet pas à ce compte de se connecter ici, comme pour les comptes enfant ou famille. Utilisez un autre compte Garmin.",
        captcha: "Garmin demande un captcha, impossible à résoudre ici. Garmin n’a pas dit que votre mot de passe est faux. Cela passera : réessayez dans quelques heures, pas plus souvent.",
        limited_until: "Garmin limite les connexions depuis cette passerelle. Garmin n’a pas dit que votre mot de passe est faux. Vous pourrez réessayer {after}.",
        limited: "Garmin limite les connexions depuis cette passerelle. Garmin n’a pas dit que votre mot de passe est faux. Réessayez dans quelques heures.",
        too_many_today: "Il y a eu trop de connexions avec cet e-mail aujourd’hui. Pour que Garmin ne bloque pas le compte, la prochaine sera possible {after}.",
        after: "après {time} UTC le {date}",
        busy: "D’autres personnes se connectent en ce moment, et les connexions à Garmin se font une par une. Rien n’a été envoyé à Garmin. Réessayez dans une minute.",
        not_a_code: "Un code de Garmin ne contient que des chiffres, six en général. Rien n’a été envoyé à Garmin. Saisissez le code à nouveau.",
        wrong_code: "Garmin n’a pas accepté ce code. Utilisez le plus récent que vous avez reçu.",
        last_wrong_code: "Garmin n’a pas accepté ce code non plus. Recommencez pour en recevoir un nouveau.",
        code_over: "Cette connexion n’accepte plus de code. Recommencez, et Garmin en enverra un nouveau.",
        tokens_refused: "Garmin a accepté votre mot de passe, mais son service de données refuse la connexion. Le problème vient de Garmin, pas de votre mot de passe. Essayez encore une fois : la passerelle prendra un autre chemin.",
        no_access_given: "Garmin a accepté votre mot de passe, mais n’a pas donné d’accès à cette passerelle. Votre mot de passe n’est pas en cause. Prévenez {operator} : Garmin a refusé le ticket, la passerelle a peut-être besoin d’une mise à jour.",
        temporary: "La connexion à Garmin ne fonctionne pas en ce moment. Garmin n’a pas dit que votre mot de passe est faux. Réessayez dans quelques minutes.",
        unreachable: "La passerelle n’a pas pu joindre Garmin, votre mot de passe n’a donc pas été vérifié. Réessayez dans quelques minutes. Si cela continue, prévenez {operator}.",
        not_understood: "Garmin n’a pas compris la demande de la passerelle. Le problème vient de la passerelle, pas de votre mot de passe. Prévenez {operator} : la passerelle a besoin d’une mise à jour.",
        unexplained: "Garmin a refusé la connexion sans raison (statut {status}). Cela ne veut pas dire que votre mot de passe est faux. Réessayez plus tard.",
        changed: "Garmin a changé sa connexion, et cette passerelle ne comprend pas la réponse ({path}). Votre mot de passe n’est pas en cause. Prévenez {operator} : la passerelle a besoin d’une mise à jour.",
        exhausted: "Aucune des façons de se connecter à Garmin n’a fonctionné. Garmin n’a pas dit que votre mot de passe est faux. Réessayez dans quelques heures, pas plus souvent.",
    },
    refusals: RefusalWords {
        malformed: TitledWords {
            title: "Ce lien de connexion est incomplet",
            text: "Le programme qui vous a envoyé ici a fait une erreur. Recommencez depuis ce programme ; si cela se reproduit, prévenez ceux qui l’ont créé.",
        },
        unknown_client: TitledWords {
            title: "Cette connexion n’est plus connue",
            text: "Cette passerelle ne connaît pas le programme qui vous a envoyé ici. Retirez-y le connecteur et ajoutez-le de nouveau ; il se présentera alors à nouveau. Rien n’a été changé.",
        },
        unreadable_client: TitledWords {
            title: "Le programme n’a pas pu être identifié",
            text: "La description du programme qui vous a envoyé ici n’a pas pu être lue sur {host}. Attendez une minute, puis réessayez depuis ce programme. Si cela continue, prévenez {operator}. Rien n’a été changé.",
        },
        astray: "Cette connexion ne ramènerait pas à Claude",
        foreign_host: "Elle a été arrêtée pour vous protéger : elle mènerait à un site qui n’est pas autorisé ici. Si vous lui faites confiance, demandez à {operator} de l’autoriser. Rien n’a été envoyé.",
        foreign_app: "Elle a été arrêtée pour vous protéger : elle mènerait à une application qui n’est pas autorisée ici. Si vous lui faites confiance, demandez à {operator} de l’autoriser. Rien n’a été envoyé.",
        bad_redirect: "Elle a été arrêtée pour vous protéger : l’adresse de retour n’est pas utilisable. Rien n’a été envoyé.",
        other_redirect: "Elle a été arrêtée pour vous protéger : l’adresse de retour n’est pas celle que le programme a déclarée. Retirez le connecteur dans Claude et ajoutez-le de nouveau. Rien n’a été envoyé.",
        not_yours: TitledWords {
            title: "Cette page ne peut pas continuer",
            text: "Elle est restée ouverte trop longtemps, a été commencée dans un autre navigateur, ou la passerelle a redémarré ; elle a aussi besoin de cookies. Rien de plus n’a été envoyé à Garmin, et un code de Garmin que vous n’avez pas encore saisi n’est plus valable.",
        },
        out_of_tries: TitledWords {
            title: "C’était un essai de trop",
            text: "Pour que votre compte Garmin ne soit pas bloqué, cette page s’arrête ici. Attendez un peu, et vérifiez votre mot de passe sur connect.garmin.com avant de recommencer.",
        },
        too_many_clicks: TitledWords {
            title: "Connexion en cours",
            text: "Cette connexion est encore en cours, et le bouton a été pressé plusieurs fois. Attendez une minute, puis retournez à Claude. Si la connexion n’est pas établie, recommencez.",
        },
        no_room: TitledWords {
            title: "Trop de connexions à la fois",
            text: "De nombreuses connexions depuis votre réseau sont en cours sur cette passerelle. Rien n’a été envoyé à Garmin. Attendez une minute, puis retournez à Claude et recommencez la connexion.",
        },
        withdrawn: TitledWords {
            title: "Cette connexion a été interrompue",
            text: "Elle a été interrompue ici, ou la liste des personnes autorisées a changé, pendant que vous vous connectiez. Rien n’a été relié. Demandez à {operator} si vous êtes toujours invité, puis recommencez depuis Claude.",
        },
        finished: TitledWords {
            title: "Cette connexion est terminée",
            text: "Il n’y a plus rien à faire sur cette page. Retournez à Claude ; s’il demande encore de vous connecter, commencez là-bas.",
        },
        cancelled: TitledWords {
            title: "Rien n’a été changé",
            text: "Vous ne vous êtes pas connecté. Ce que vous aviez relié reste comme avant ; vous pouvez fermer cette page.",
        },
        internal: TitledWords {
            title: "La passerelle a un problème",
            text: "Elle n’accède pas à ses propres données en ce moment. Rien n’a été envoyé à Garmin. Réessayez dans une minute ; si cela continue, prévenez {operator}.",
        },
    },
    problems: ProblemWords {
        unreadable: "Impossible de lire la demande",
        underscore: "Le nom d’un en-tête contient un tiret bas. Un proxy entre vous et cette passerelle l’a sans doute ajouté.",
        doubled: "Un en-tête qui doit être unique apparaît deux fois. Un proxy entre vous et cette passerelle l’a sans doute ajouté.",
        not_text: "Un en-tête contient des caractères qui n’y sont pas permis.",
        too_large: "La demande est plus grande que ce que cette passerelle accepte.",
        cut_off: "La liaison s’est coupée avant l’arrivée de toute la demande.",
        not_a_form: "Cette adresse ne lit que des formulaires (application/x-www-form-urlencoded).",
        bad_form: "Un champ du formulaire manque ou apparaît deux fois.",
        method: "Cette adresse n’accepte pas cette méthode.",
        too_slow: TitledWords {
            title: "Cela a pris trop de temps",
            text: "La liaison était trop lente et a été fermée. Rien n’a été changé.",
        },
        cross_site: TitledWords {
            title: "Cela vient d’un autre site",
            text: "Le formulaire a été envoyé par une page qui n’est pas celle de cette passerelle. Il n’a eu aucun effet.",
        },
        wrong_host: TitledWords {
            title: "Ce n’est pas l’adresse de la passerelle",
            text: "La passerelle a été appelée sous un autre nom que le sien, elle ne demande donc pas de mot de passe ici.",
        },
        broken: TitledWords {
            title: "Quelque chose s’est cassé ici",
            text: "Le problème vient de la passerelle, pas de vous. Son journal contient les détails.",
        },
        spent_code: TitledWords {
            title: "Ce lien n’ouvre plus votre page",
            text: "Un lien ouvre la page une seule fois, dans les dix minutes, et un plus récent le remplace. Rien n’a été changé.",
        },
        page_closed: TitledWords {
            title: "Votre page est fermée",
            text: "Elle se ferme au bout d’une demi-heure, quand vous la fermez dans un onglet, ou quand l’application qui l’a ouverte perd son accès. Rien n’a été changé.",
        },
        too_many: TitledWords {
            title: "C’était trop souvent",
            text: "Beaucoup de formulaires sont arrivés de votre réseau en peu de temps. Rien n’a été changé. Attendez une minute.",
        },
    },
    steps: StepWords {
        go_back: "Retournez à l’application d’où vous venez et recommencez la connexion.",
        add_again: "Si cela n’aide pas, retirez-y le connecteur et ajoutez-le de nouveau : {origin}/mcp",
        begin_again: "Recommencez ici : {address}",
        open_instead: "Ouvrez plutôt {origin}",
        tell_operator: "Si on vous a donné cette adresse, prévenez {operator}.",
        ask_claude: "Demandez à Claude d’ouvrir votre page, pour obtenir un nouveau lien.",
        sign_in_at: "Ou connectez-vous à Garmin : {origin}/me",
        wait: "Attendez une minute, puis réessayez.",
    },
};
