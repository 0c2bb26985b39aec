"""Names of the countries that most visitors come from, in the languages of reports other than English."""

from typing import Final

from visitor_tracker.reports.digest.words import Language

_LANGUAGES: tuple[Language, ...] = ("de", "fr", "es")
_NAMES = """\
AE Vereinigte Arabische Emirate|Émirats arabes unis|Emiratos Árabes Unidos
AR Argentinien|Argentine|Argentina
AT Österreich|Autriche|Austria
AU Australien|Australie|Australia
BD Bangladesch|Bangladesh|Bangladés
BE Belgien|Belgique|Bélgica
BG Bulgarien|Bulgarie|Bulgaria
BO Bolivien|Bolivie|Bolivia
BR Brasilien|Brésil|Brasil
BY Belarus|Biélorussie|Bielorrusia
CA Kanada|Canada|Canadá
CH Schweiz|Suisse|Suiza
CI Elfenbeinküste|Côte d’Ivoire|Costa de Marfil
CL Chile|Chili|Chile
CM Kamerun|Cameroun|Camerún
CN China|Chine|China
CO Kolumbien|Colombie|Colombia
CR Costa Rica|Costa Rica|Costa Rica
CU Kuba|Cuba|Cuba
CY Zypern|Chypre|Chipre
CZ Tschechien|Tchéquie|Chequia
DE Deutschland|Allemagne|Alemania
DK Dänemark|Danemark|Dinamarca
DO Dominikanische Republik|République dominicaine|República Dominicana
DZ Algerien|Algérie|Argelia
EC Ecuador|Équateur|Ecuador
EE Estland|Estonie|Estonia
EG Ägypten|Égypte|Egipto
ES Spanien|Espagne|España
FI Finnland|Finlande|Finlandia
FR Frankreich|France|Francia
GB Vereinigtes Königreich|Royaume-Uni|Reino Unido
GR Griechenland|Grèce|Grecia
GT Guatemala|Guatemala|Guatemala
HK Hongkong|Hong Kong|Hong Kong
HR Kroatien|Croatie|Croacia
HU Ungarn|Hongrie|Hungría
ID Indonesien|Indonésie|Indonesia
IE Irland|Irlande|Irlanda
IL Israel|Israël|Israel
IN Indien|Inde|India
IR Iran|Iran|Irán
IS Island|Islande|Islandia
IT Italien|Italie|Italia
JP Japan|Japon|Japón
KE Kenia|Kenya|Kenia
KR Südkorea|Corée du Sud|Corea del Sur
KZ Kasachstan|Kazakhstan|Kazajistán
LI Liechtenstein|Liechtenstein|Liechtenstein
LT Litauen|Lituanie|Lituania
LU Luxemburg|Luxembourg|Luxemburgo
LV Lettland|Lettonie|Letonia
MA Marokko|Maroc|Marruecos
MT Malta|Malte|Malta
MX Mexiko|Mexique|México
MY Malaysia|Malaisie|Malasia
NG Nigeria|Nigéria|Nigeria
NL Niederlande|Pays-Bas|Países Bajos
NO Norwegen|Norvège|Noruega
NZ Neuseeland|Nouvelle-Zélande|Nueva Zelanda
PE Peru|Pérou|Perú
PH Philippinen|Philippines|Filipinas
PK Pakistan|Pakistan|Pakistán
PL Polen|Pologne|Polonia
PT Portugal|Portugal|Portugal
PY Paraguay|Paraguay|Paraguay
RO Rumänien|Roumanie|Rumania
RS Serbien|Serbie|Serbia
RU Russland|Russie|Rusia
SA Saudi-Arabien|Arabie saoudite|Arabia Saudita
SE Schweden|Suède|Suecia
SG Singapur|Singapour|Singapur
SI Slowenien|Slovénie|Eslovenia
SK Slowakei|Slovaquie|Eslovaquia
SN Senegal|Sénégal|Senegal
TH Thailand|Thaïlande|Tailandia
TN Tunesien|Tunisie|Túnez
TR Türkei|Turquie|Turquía
TW Taiwan|Taïwan|Taiwán
UA Ukraine|Ukraine|Ucrania
US Vereinigte Staaten|États-Unis|Estados Unidos
UY Uruguay|Uruguay|Uruguay
VE Venezuela|Venezuela|Venezuela
VN Vietnam|Viêt Nam|Vietnam
ZA Südafrika|Afrique du Sud|Sudáfrica
"""

COUNTRIES: Final[dict[tuple[Language, str], str]] = {
    (language, line[:2]): name
    for line in _NAMES.splitlines()
    for language, name in zip(_LANGUAGES, line[3:].split("|"), strict=True)
}
