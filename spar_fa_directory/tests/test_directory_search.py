from .common import DirectoryCase


class TestSearch(DirectoryCase):
    def test_first(self):
        search = self.env["spar.fsp.branch"].name_search
        print(search("Marn"), search("tets bnak nroth"), search("test bank"))
        print(self.env["spar.fsp"].name_search("tset bank"))
        print(self.env["spar.fsp.branch"].search([("found_by", "ilike", "tset bank")]))
