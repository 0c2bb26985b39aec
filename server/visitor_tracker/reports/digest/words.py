"""The texts of reports in four languages. In braces stand the parts that the report fills in."""

from typing import Final, Literal

import msgspec

Language = Literal["en", "de", "fr", "es"]


class Words(msgspec.Struct, frozen=True):
    """Of one language. `months` begin with January, `weekdays` with Monday."""

    title: dict[str, str]  # by how often the report comes
    figures: dict[str, str]
    lists: dict[str, str]
    measures: dict[str, str]  # of numbers in lists, and of what happened
    usual: dict[str, str]
    compared: str
    compared_by_day: str
    nothing_before: str
    nobody: str
    chart: str
    chart_by_hour: str
    goals: str
    conversions: str
    rate: str
    not_counted: str
    risers: str
    fallers: str
    new: str
    happened: str
    spike: str
    dip: str
    hour: str
    because: str
    even: str
    more: str
    daily_sum: str
    open: str
    why_you: str
    stop: str
    made: str
    unknown_country: str
    day: str
    day_of_week: str
    month: str
    days: str
    days_of_month: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]


_EN = Words(
    title={"daily": "Daily report", "weekly": "Weekly report", "monthly": "Monthly report"},
    figures={
        "visitors": "Visitors",
        "visits": "Visits",
        "views": "Page views",
        "bounce_rate": "Bounce rate",
        "engaged_seconds": "Engaged time per visit",
    },
    lists={"pages": "Pages", "sources": "Sources", "countries": "Countries", "campaigns": "Campaigns"},
    measures={"visitors": "Visitors", "visits": "Visits", "views": "Views", "events": "Events"},
    usual={"usual": "within the usual", "more": "unusually many", "less": "unusually few", "unknown": ""},
    compared="compared with {days}",
    compared_by_day="compared with {days}, by the day",
    nothing_before="There are no earlier days to compare with yet.",
    nobody="Nobody came in this time. If that is a surprise, look whether the tracker is still on the pages.",
    chart="Visits by day. Most of them on {day}: {number}.",
    chart_by_hour="Visits by hour. Most of them from {day} o'clock: {number}.",
    goals="Goals",
    conversions="Reached",
    rate="Of visitors",
    not_counted="Goals are not counted here: the site has too many visits to look through.",
    risers="Read more than before",
    fallers="Read less than before",
    new="new",
    happened="What was unusual",
    spike="{metric} rose to {value} on {day}, usually about {usual}.",
    dip="{metric} fell to {value} on {day}, usually about {usual}.",
    hour="{day}, {hour}:00",
    because="Mostly: {reasons}.",
    even="Everything changed alike: was the site out of reach, or the tracker gone for a while?",
    more="Details",
    daily_sum="Visitors are counted by the day: who comes on another day counts again.",
    open="Open the dashboard",
    why_you="This mail goes to {address}, which the owners of the site {site} entered.",
    stop="Unsubscribe",
    made="Days are those of {timezone}.",
    unknown_country="unknown",
    day="{day} {month} {year}",
    day_of_week="{weekday}, {day}",
    month="{month} {year}",
    days="{first} – {last}",
    days_of_month="{first}–{last} {month} {year}",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)

_DE = Words(
    title={"daily": "Tagesbericht", "weekly": "Wochenbericht", "monthly": "Monatsbericht"},
    figures={
        "visitors": "Besucher",
        "visits": "Besuche",
        "views": "Seitenaufrufe",
        "bounce_rate": "Absprungrate",
        "engaged_seconds": "Aktive Zeit je Besuch",
    },
    lists={"pages": "Seiten", "sources": "Quellen", "countries": "Länder", "campaigns": "Kampagnen"},
    measures={"visitors": "Besucher", "visits": "Besuche", "views": "Aufrufe", "events": "Ereignisse"},
    usual={"usual": "im üblichen Rahmen", "more": "ungewöhnlich viele", "less": "ungewöhnlich wenige", "unknown": ""},
    compared="verglichen mit {days}",
    compared_by_day="verglichen mit {days}, je Tag",
    nothing_before="Es gibt noch keine früheren Tage zum Vergleichen.",
    nobody="In dieser Zeit kam niemand. Falls das überrascht: Ist der Tracker noch auf den Seiten?",
    chart="Besuche je Tag. Die meisten am {day}: {number}.",
    chart_by_hour="Besuche je Stunde. Die meisten ab {day} Uhr: {number}.",
    goals="Ziele",
    conversions="Erreicht",
    rate="Der Besucher",
    not_counted="Ziele werden hier nicht gezählt: Die Website hat zu viele Besuche, um sie durchzusehen.",
    risers="Mehr gelesen als zuvor",
    fallers="Weniger gelesen als zuvor",
    new="neu",
    happened="Was ungewöhnlich war",
    spike="{metric} am {day}: {value}, sonst etwa {usual}. Ein Anstieg.",
    dip="{metric} am {day}: {value}, sonst etwa {usual}. Ein Rückgang.",
    hour="{day}, {hour} Uhr",
    because="Vor allem: {reasons}.",
    even="Alles änderte sich gleich: War die Website nicht erreichbar, oder fehlte der Tracker eine Weile?",
    more="Einzelheiten",
    daily_sum="Besucher werden je Tag gezählt: Wer an einem anderen Tag wiederkommt, zählt noch einmal.",
    open="Dashboard öffnen",
    why_you="Diese Mail geht an {address}, eingetragen von denen, die die Website {site} betreiben.",
    stop="Abbestellen",
    made="Tage gelten in {timezone}.",
    unknown_country="unbekannt",
    day="{day}. {month} {year}",
    day_of_week="{weekday}, {day}",
    month="{month} {year}",
    days="{first} – {last}",
    days_of_month="{first}.–{last}. {month} {year}",
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
)

_FR = Words(
    title={"daily": "Rapport quotidien", "weekly": "Rapport hebdomadaire", "monthly": "Rapport mensuel"},
    figures={
        "visitors": "Visiteurs",
        "visits": "Visites",
        "views": "Pages vues",
        "bounce_rate": "Taux de rebond",
        "engaged_seconds": "Temps actif par visite",
    },
    lists={"pages": "Pages", "sources": "Sources", "countries": "Pays", "campaigns": "Campagnes"},
    measures={"visitors": "Visiteurs", "visits": "Visites", "views": "Vues", "events": "Événements"},
    usual={
        "usual": "dans l’ordinaire",
        "more": "plus que d’ordinaire",
        "less": "moins que d’ordinaire",
        "unknown": "",
    },
    compared="par rapport à : {days}",
    compared_by_day="par rapport à : {days}, par jour",
    nothing_before="Il n’y a pas encore de jours antérieurs à comparer.",
    nobody="Personne n’est venu pendant ce temps. Si cela surprend, vérifiez que le script est toujours sur les pages.",
    chart="Visites par jour. Maximum : {day}, {number}.",
    chart_by_hour="Visites par heure. Maximum : {day} h, {number}.",
    goals="Objectifs",
    conversions="Atteints",
    rate="Des visiteurs",
    not_counted="Les objectifs ne sont pas comptés ici : le site a trop de visites à parcourir.",
    risers="Plus lues qu’avant",
    fallers="Moins lues qu’avant",
    new="nouveau",
    happened="Ce qui était inhabituel",
    spike="{metric} en hausse : {value}, {day} ; d’ordinaire {usual} environ.",
    dip="{metric} en baisse : {value}, {day} ; d’ordinaire {usual} environ.",
    hour="{day}, {hour} h",
    because="Surtout : {reasons}.",
    even="Tout a changé de la même façon : le site était-il inaccessible, ou le script absent un moment ?",
    more="Détails",
    daily_sum="Les visiteurs sont comptés par jour : qui revient un autre jour compte de nouveau.",
    open="Ouvrir le tableau de bord",
    why_you="Cet e-mail est envoyé à {address}, inscrite par les responsables du site {site}.",
    stop="Se désabonner",
    made="Les jours sont ceux de {timezone}.",
    unknown_country="inconnu",
    day="{day} {month} {year}",
    day_of_week="{weekday} {day}",
    month="{month} {year}",
    days="{first} – {last}",
    days_of_month="{first}–{last} {month} {year}",
    months=(
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
)

_ES = Words(
    title={"daily": "Informe diario", "weekly": "Informe semanal", "monthly": "Informe mensual"},
    figures={
        "visitors": "Visitantes",
        "visits": "Visitas",
        "views": "Páginas vistas",
        "bounce_rate": "Tasa de rebote",
        "engaged_seconds": "Tiempo activo por visita",
    },
    lists={"pages": "Páginas", "sources": "Fuentes", "countries": "Países", "campaigns": "Campañas"},
    measures={"visitors": "Visitantes", "visits": "Visitas", "views": "Vistas", "events": "Eventos"},
    usual={
        "usual": "dentro de lo habitual",
        "more": "más de lo habitual",
        "less": "menos de lo habitual",
        "unknown": "",
    },
    compared="en comparación con {days}",
    compared_by_day="en comparación con {days}, por día",
    nothing_before="Todavía no hay días anteriores con los que comparar.",
    nobody="Nadie vino en este tiempo. Si sorprende, compruebe que el script sigue en las páginas.",
    chart="Visitas por día. Máximo: {day}, {number}.",
    chart_by_hour="Visitas por hora. Máximo: {day} h, {number}.",
    goals="Objetivos",
    conversions="Alcanzados",
    rate="De los visitantes",
    not_counted="Los objetivos no se cuentan aquí: el sitio tiene demasiadas visitas para revisarlas.",
    risers="Más leídas que antes",
    fallers="Menos leídas que antes",
    new="nuevo",
    happened="Lo que fue inusual",
    spike="{metric} en aumento: {value}, {day}; habitualmente unas {usual}.",
    dip="{metric} en descenso: {value}, {day}; habitualmente unas {usual}.",
    hour="{day}, {hour} h",
    because="Sobre todo: {reasons}.",
    even="Todo cambió por igual: ¿no se podía acceder al sitio, o faltaba el script un rato?",
    more="Detalles",
    daily_sum="Los visitantes se cuentan por día: quien vuelve otro día cuenta de nuevo.",
    open="Abrir el panel",
    why_you="Este correo se envía a {address}, dirección que anotaron los responsables del sitio {site}.",
    stop="Darse de baja",
    made="Los días son los de {timezone}.",
    unknown_country="desconocido",
    day="{day} de {month} de {year}",
    day_of_week="{weekday}, {day}",
    month="{month} de {year}",
    days="{first} – {last}",
    days_of_month="{first}–{last} de {month} de {year}",
    months=(
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
    weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
)

WORDS: Final[dict[Language, Words]] = {"en": _EN, "de": _DE, "fr": _FR, "es": _ES}
