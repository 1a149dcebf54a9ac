"""The words that events are built from."""


def _words(text: str) -> list[str]:
    return text.split()


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split("|")]


ADJECTIVES = _words(
    """
    Compact Classic Folding Heavy Lightweight Recycled Organic Brushed Stainless Ceramic Insulated
    Waterproof Handmade Adjustable Cordless Quiet Foldable Padded Quilted Ribbed Matte Glazed Tempered
    Magnetic Solar Rechargeable Wireless Braided Merino Linen Cotton Bamboo Walnut Oak Copper Enamel
    Canvas Leather Suede Thermal Reversible Stackable Slim Deep Wide Tall Narrow Round Oval Portable
    """
)

PRODUCTS = _phrases(
    """
    Skillet | Kettle | Teapot | Lunch Box | Water Bottle | Chef Knife | Cutting Board | Mixing Bowl |
    Espresso Cup | Grinder | Desk Lamp | Floor Lamp | Bookshelf | Side Table | Bar Stool | Armchair |
    Mattress Topper | Duvet Cover | Pillow | Throw | Bath Towel | Shower Curtain | Laundry Basket |
    Wall Clock | Picture Frame | Mirror | Candle Holder | Plant Pot | Hose Reel | Pruning Shears |
    Garden Fork | Bird Feeder | Tent | Sleeping Bag | Head Torch | Backpack | Rain Jacket | Fleece |
    Crew Sweater | Running Shorts | Hiking Boots | Trail Shoes | Wool Socks | Beanie | Scarf | Belt |
    Wallet | Umbrella | Travel Mug | Headphones | Keyboard | Mouse | Monitor Arm | Phone Stand |
    Charging Cable | Power Bank | Speaker | Microphone | Webcam | Router | Bicycle Pump | Bicycle Lock |
    Helmet | Pannier | Yoga Mat | Kettlebell | Resistance Band | Foam Roller | Jigsaw Puzzle |
    Board Game | Notebook | Fountain Pen | Sketchbook | Paint Set | Tool Box | Drill Bit Set |
    Tape Measure | Spirit Level | Socket Set | Work Gloves
    """
)

COLOURS = _words(
    """
    black white navy charcoal sand olive rust teal cream mustard burgundy sage slate copper indigo coral
    ivory plum
    """
)

NOUNS = _words(
    """
    handle lid base seam zip strap lining buckle hinge spout rim cable switch dial button battery cover
    frame screw shelf drawer leg cushion fabric colour finish size weight packaging box manual warranty
    delivery price quality surface edge corner grip wheel bracket hook pocket hood cuff collar sole heel
    lace stitching filter charger plug light sound volume signal heat steam water coffee kitchen garden
    office bedroom hallway garage weekend winter summer morning evening journey train camping trip
    friend daughter son neighbour colleague gift birthday dishwasher oven hob fridge cupboard table
    floor wall window door shop courier parcel return refund
    """
)

VERBS = _words(
    """
    holds keeps fits works feels looks lasts closes opens folds slides charges heats cools dries washes
    stacks hangs stands rolls packs travels arrives needs saves makes gives takes leaves wears fades
    cracks bends leaks squeaks wobbles slips scratches stains shrinks stretches rattles hums
    """
)

QUALITIES = _words(
    """
    sturdy solid light heavy soft stiff warm cool quiet loud smooth rough bright dull roomy snug
    comfortable awkward reliable simple clever cheap pricey fair generous thin thick flat steady loose
    tight neat tidy clean dirty new old perfect decent average poor excellent surprising useful
    practical handy handsome plain smart
    """
)

CONNECTIVES = _phrases(
    """
    and | but | so | because | although | while | after | before | until | even though | as soon as |
    which means that | except when | especially where | now that | unless
    """
)

OPENINGS = _phrases(
    """
    The | Our | My | Every | This | That | Each | Its | Their | Another | The same | The second |
    The smaller | The larger | The spare
    """
)

ADVERBS = _words(
    """
    really quite very rather fairly surprisingly mostly always never often usually sometimes barely just
    still already clearly nearly exactly perfectly easily quickly slowly neatly firmly well
    """
)

FIRST_NAMES = _words(
    """
    Anna Ben Clara David Elif Farah George Hannah Ivan Julia Kofi Laura Mateo Nadia Oscar Priya Quentin
    Rosa Sami Tara Umar Vera Wei Ximena Yusuf Zoe Amelia Bruno Celia Dmitri Esther Felix Grace Hugo Ines
    Jonas Keiko Leon Mina Noah Olga Pedro Ruth Stefan Thandi Ulla Victor Wanda Yara Zain
    """
)

LAST_NAMES = _words(
    """
    Adams Baker Costa Dubois Evans Fischer Garcia Hansen Ito Jensen Khan Lopez Meyer Novak Okafor Patel
    Quinn Rossi Schmidt Tanaka Usman Vargas Weber Xu Young Zhang Andersson Bianchi Clarke Dias Eriksen
    Fontaine Gupta Haas Ivanova Jones Keller Larsen Moreau Nielsen Olsen Petrov Ramos Silva Torres Vogel
    Wagner Yilmaz Zimmer Murphy
    """
)

# (street, postcode, city, country). A tenth of the addresses are not ASCII, one is not even Latin-1. Such
# text must come through whole; Python's strings pay for it, so it is as rare as in a shop.
PLACE_NAMES = (
    ("High Street", "SW1A 1AA", "London", "GB"),
    ("Mill Lane", "M1 1AE", "Manchester", "GB"),
    ("Station Road", "EH1 1YZ", "Edinburgh", "GB"),
    ("Park Avenue", "10022", "New York", "US"),
    ("Maple Street", "60614", "Chicago", "US"),
    ("Sunset Boulevard", "90028", "Los Angeles", "US"),
    ("Pine Street", "98101", "Seattle", "US"),
    ("Congress Avenue", "78701", "Austin", "US"),
    ("Rue de Rivoli", "75001", "Paris", "FR"),
    ("Rue Nationale", "59800", "Lille", "FR"),
    ("Cours Lafayette", "69003", "Lyon", "FR"),
    ("Lindenweg", "10115", "Berlin", "DE"),
    ("Bahnhofplatz", "80335", "Hof", "DE"),
    ("Gartenweg", "20095", "Hamburg", "DE"),
    ("Via Garibaldi", "16124", "Genova", "IT"),
    ("Corso Como", "20154", "Milano", "IT"),
    ("Calle Mayor", "28013", "Madrid", "ES"),
    ("Carrer de Mallorca", "08036", "Barcelona", "ES"),
    ("Prinsengracht", "1015 DX", "Amsterdam", "NL"),
    ("Coolsingel", "3011 AD", "Rotterdam", "NL"),
    ("Drottninggatan", "111 51", "Stockholm", "SE"),
    ("Karl Johans gate", "0154", "Oslo", "NO"),
    ("Mannerheimintie", "00100", "Helsinki", "FI"),
    ("Rua Augusta", "1100-053", "Lisboa", "PT"),
    ("Hauptplatz", "8010", "Graz", "AT"),
    ("Grafton Street", "D02 Y754", "Dublin", "IE"),
    ("Königstraße", "70173", "Stuttgart", "DE"),
    ("Rue de la République", "13001", "Marseille", "FR"),
    ("Vesterbrogade", "1620", "København", "DK"),
    ("Piotrkowska", "90-001", "Łódź", "PL"),
)

PAGES = (
    "product",
    "category",
    "search",
    "basket",
    "checkout",
    "account",
    "wishlist",
    "help",
    "offers",
    "home",
)
# The steps to an order, and what shoppers do beside them.
FUNNEL = ("page_view", "search", "product_view", "add_to_cart", "begin_checkout")
OTHER_ACTIONS = ("remove_from_cart", "add_to_wishlist", "apply_coupon", "sign_in", "review_written")
ACTIONS = (*FUNNEL, *OTHER_ACTIONS)
CHANNELS = ("web", "web", "app-ios", "app-android", "newsletter")
