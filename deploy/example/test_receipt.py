import unittest

from receipt import discounted, text, total

BASKET = [(250, 2), (399, 1), (10, 5)]


class Receipt(unittest.TestCase):
    def test_total_counts_every_line(self):
        self.assertEqual(total(BASKET), 949)

    def test_discounted_rounds_half_up(self):
        self.assertEqual(discounted(BASKET, 50), 475)

    def test_text_has_two_decimals(self):
        self.assertEqual(text(1205), "12.05")


if __name__ == "__main__":
    unittest.main()
