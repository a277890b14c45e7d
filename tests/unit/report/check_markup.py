"""Reads an SVG (as XML) or an HTML file, fails when it is not well-formed, prints its texts, one a line."""
import html.parser
import sys
import xml.etree.ElementTree

VOID = {"meta", "link", "img", "br", "hr"}


class Balanced(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(names) != len(set(names)):
            sys.exit(f"<{tag}> repeats an attribute")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"</{tag}> at {self.getpos()} closes nothing")

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style",) and data.strip():
            print(data.strip())


path = sys.argv[1]
if path.endswith(".svg"):
    for element in xml.etree.ElementTree.parse(path).iter():
        if element.text and element.text.strip():
            print(element.text.strip())
else:
    parser = Balanced()
    with open(path, encoding="utf-8") as file:
        parser.feed(file.read())
    parser.close()
    if parser.open:
        sys.exit(f"left open: {parser.open}")
