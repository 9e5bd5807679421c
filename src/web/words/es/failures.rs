//! What the pages say in Spanish when something fails.

use super::super::failures::{FailureWords, NoticeWords, ProblemWords, RefusalWords, StepWords, TitledWords};

pub(super) static WORDS: FailureWords = FailureWords {
    notices: NoticeWords {
        no_email: "Escribe el correo de tu cuenta de Garmin.",
        no_password: "Escribe la contraseña de tu cuenta de Garmin.",
        not_kept: "Garmin aceptó tu acceso, pero la pasarela no pudo guardarlo. Prueba otra vez en un minuto. Si vuelve a fallar, avisa a {operator}.",
        wrong: "Este correo y esta contraseña no se han aceptado. Compruébalos en connect.garmin.com, porque demasiados fallos bloquean una cuenta. Si allí funcionan, pregunta a {operator} si esta dirección está invitada.",
        locked: "Garmin ha bloqueado esta cuenta. Entra en connect.garmin.com, sigue los pasos que te indique (a menudo, una contraseña nueva) y vuelve.",
        restricted: "Garmin no deja que esta cuenta entre aquí, como pasa con las cuentas infantiles y familiares. Usa otra cuenta de Garmin.",
        captcha: "Garmin pide un captcha, y aquí no se puede resolver. Garmin no ha dicho que tu contraseña esté mal. Se pasará: prueba dentro de unas horas, y no más a menudo.",
        limited_until: "Garmin está limitando los accesos desde esta pasarela. Garmin no ha dicho que tu contraseña esté mal. Podrás probar otra vez {after}.",
        limited: "Garmin está limitando los accesos desde esta pasarela. Garmin no ha dicho que tu contraseña esté mal. Prueba dentro de unas horas.",
        too_many_today: "Hoy ha habido demasiados accesos con este correo. Para que Garmin no bloquee la cuenta, el próximo será posible {after}.",
        after: "después de las {time} UTC del {date}",
        busy: "Ahora mismo están entrando otras personas, y a Garmin se entra de una en una. No se ha enviado nada a Garmin. Prueba otra vez en un minuto.",
        not_a_code: "Un código de Garmin solo tiene cifras, normalmente seis. No se ha enviado nada a Garmin. Escribe el código otra vez.",
        wrong_code: "Garmin no ha aceptado este código. Usa el más reciente que hayas recibido.",
        last_wrong_code: "Garmin tampoco ha aceptado este código. Empieza de nuevo para recibir otro.",
        code_over: "Este acceso ya no admite códigos. Empieza de nuevo y Garmin enviará otro.",
        tokens_refused: "Garmin aceptó tu contraseña, pero su servicio de datos rechaza el acceso. El fallo es de Garmin, no de tu contraseña. Prueba una vez más: la pasarela usará otro camino.",
        no_access_given: "Garmin aceptó tu contraseña, pero no dio acceso a esta pasarela. El problema no es tu contraseña. Avisa a {operator}: Garmin rechazó el tique y quizá la pasarela necesite una actualización.",
        temporary: "El acceso a Garmin no funciona en este momento. Garmin no ha dicho que tu contraseña esté mal. Prueba otra vez en unos minutos.",
        unreachable: "La pasarela no ha podido llegar a Garmin, así que tu contraseña no se ha comprobado. Prueba otra vez en unos minutos. Si sigue igual, avisa a {operator}.",
        not_understood: "Garmin no entendió la petición de la pasarela. El fallo es de la pasarela, no de tu contraseña. Avisa a {operator}: la pasarela necesita una actualización.",
        unexplained: "Garmin rechazó el acceso sin dar un motivo (estado {status}). Eso no significa que tu contraseña esté mal. Prueba más tarde.",
        changed: "Garmin ha cambiado su acceso, y esta pasarela no entiende la respuesta ({path}). El problema no es tu contraseña. Avisa a {operator}: la pasarela necesita una actualización.",
        exhausted: "Ninguna de las formas de entrar en Garmin ha funcionado. Garmin no ha dicho que tu contraseña esté mal. Prueba dentro de unas horas, y no más a menudo.",
    },
    refusals: RefusalWords {
        malformed: TitledWords {
            title: "Este enlace de acceso está incompleto",
            text: "El programa que te ha traído aquí cometió un error. Empieza otra vez desde allí; si vuelve a pasar, avisa a quien lo hizo.",
        },
        unknown_client: TitledWords {
            title: "Esta conexión ya no se reconoce",
            text: "Esta pasarela no conoce el programa que te ha traído aquí. Quita allí el conector y añádelo otra vez; así se presentará de nuevo. No se ha cambiado nada.",
        },
        unreadable_client: TitledWords {
            title: "No se ha podido identificar el programa",
            text: "No se ha podido leer en {host} la descripción del programa que te ha traído aquí. Espera un minuto y prueba otra vez desde allí. Si sigue igual, avisa a {operator}. No se ha cambiado nada.",
        },
        astray: "Este acceso no llevaría de vuelta a Claude",
        foreign_host: "Se ha detenido para protegerte: llevaría a un sitio que aquí no está permitido. Si te fías de él, pide a {operator} que lo permita. No se ha enviado nada.",
        foreign_app: "Se ha detenido para protegerte: llevaría a una aplicación que aquí no está permitida. Si te fías de ella, pide a {operator} que la permita. No se ha enviado nada.",
        bad_redirect: "Se ha detenido para protegerte: la dirección de vuelta no se puede usar. No se ha enviado nada.",
        other_redirect: "Se ha detenido para protegerte: la dirección de vuelta no es la que registró el programa. Quita el conector en Claude y añádelo otra vez. No se ha enviado nada.",
        not_yours: TitledWords {
            title: "Esta página no puede seguir",
            text: "Estuvo abierta demasiado tiempo, se empezó en otro navegador o la pasarela se reinició; además necesita cookies. No se ha enviado nada más a Garmin, y un código de Garmin que aún no hayas escrito ya no vale.",
        },
        out_of_tries: TitledWords {
            title: "Ha sido un intento de más",
            text: "Para que tu cuenta de Garmin no se bloquee, esta página se detiene aquí. Espera un rato y comprueba tu contraseña en connect.garmin.com antes de empezar de nuevo.",
        },
        too_many_clicks: TitledWords {
            title: "Todavía entrando",
            text: "Este acceso sigue en marcha y se ha pulsado el botón varias veces. Espera un minuto y vuelve a Claude. Si para entonces no está conectado, conecta otra vez.",
        },
        no_room: TitledWords {
            title: "Demasiados accesos a la vez",
            text: "Hay muchos accesos en marcha desde tu red en esta pasarela. No se ha enviado nada a Garmin. Espera un minuto, vuelve a Claude y conecta otra vez.",
        },
        withdrawn: TitledWords {
            title: "Este acceso se ha terminado",
            text: "Se terminó aquí, o cambió quién puede usar la pasarela, mientras entrabas. No se ha conectado nada. Pregunta a {operator} si sigues en la lista de invitados, y conecta otra vez desde Claude.",
        },
        finished: TitledWords {
            title: "Este acceso ya está hecho",
            text: "En esta página no queda nada por hacer. Vuelve a Claude; si todavía te pide conectar, empieza allí.",
        },
        cancelled: TitledWords {
            title: "No se ha cambiado nada",
            text: "No has entrado. Lo que conectaste antes se queda como está; puedes cerrar esta página.",
        },
        internal: TitledWords {
            title: "La pasarela tiene un problema",
            text: "Ahora mismo no llega a sus propios datos. No se ha enviado nada a Garmin. Prueba otra vez en un minuto; si sigue igual, avisa a {operator}.",
        },
    },
    problems: ProblemWords {
        unreadable: "Eso no se ha podido leer",
        underscore: "El nombre de una cabecera tiene un guion bajo. Probablemente lo añadió un proxy entre tú y esta pasarela.",
        doubled: "Una cabecera que solo puede aparecer una vez aparece dos. Probablemente la añadió un proxy entre tú y esta pasarela.",
        not_text: "Una cabecera tiene caracteres que no se permiten ahí.",
        too_large: "La petición es más grande de lo que acepta esta pasarela.",
        cut_off: "La conexión se cortó antes de que llegara toda la petición.",
        not_a_form: "Esta dirección solo lee formularios (application/x-www-form-urlencoded).",
        bad_form: "Un campo del formulario falta o llegó dos veces.",
        method: "Esta dirección no admite ese método.",
        too_slow: TitledWords {
            title: "Ha tardado demasiado",
            text: "La conexión era demasiado lenta y se cerró. No se ha cambiado nada.",
        },
        cross_site: TitledWords {
            title: "Eso ha venido de otro sitio",
            text: "El formulario lo envió una página que no es de esta pasarela. No se ha hecho nada con él.",
        },
        wrong_host: TitledWords {
            title: "Esta no es la dirección de la pasarela",
            text: "Se ha llegado a la pasarela con un nombre que no es el suyo, así que aquí no pide ninguna contraseña.",
        },
        broken: TitledWords {
            title: "Aquí se ha roto algo",
            text: "El fallo es de la pasarela, no tuyo. Su registro tiene los detalles.",
        },
        spent_code: TitledWords {
            title: "Este enlace ya no abre tu página",
            text: "Un enlace abre la página una vez, en diez minutos, y uno más nuevo lo sustituye. No se ha cambiado nada.",
        },
        page_closed: TitledWords {
            title: "Tu página está cerrada",
            text: "Se cierra al cabo de media hora, cuando la cierras en cualquier pestaña, o cuando pierde el acceso la aplicación que la abrió. No se ha cambiado nada.",
        },
        too_many: TitledWords {
            title: "Han sido demasiadas veces",
            text: "Han llegado muchos formularios de tu red en poco tiempo. No se ha cambiado nada. Espera un minuto.",
        },
    },
    steps: StepWords {
        go_back: "Vuelve a la aplicación de la que vienes y empieza a conectar otra vez.",
        add_again: "Si eso no ayuda, quita allí el conector y añádelo otra vez: {origin}/mcp",
        begin_again: "Empieza otra vez en {address}",
        open_instead: "Abre {origin} en su lugar.",
        tell_operator: "Si alguien te dio esta dirección, avisa a {operator}.",
        ask_claude: "Pídele a Claude que abra tu página, para tener un enlace nuevo.",
        sign_in_at: "O entra en Garmin en {origin}/me",
        wait: "Espera un minuto y prueba otra vez.",
    },
};
