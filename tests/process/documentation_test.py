"""The pages of doc/ against the extension: their SQL works, and doc/sql.md leaves nothing out."""
import re
import tempfile
import unittest

import personalize_test as support

PAGE = (support.SOURCE / "doc" / "sql.md").read_text()


class Documentation(unittest.TestCase):
    def test_the_sql_of_the_reference_runs_from_top_to_bottom(self):
        self.run_blocks(PAGE, 30)

    def test_the_workflow_of_amazon_personalize_runs_from_top_to_bottom(self):
        self.run_blocks((support.SOURCE / "doc" / "from-amazon-personalize.md").read_text(), 9)

    def run_blocks(self, page, at_least):
        blocks = re.findall(r"^```sql\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        self.assertGreaterEqual(len(blocks), at_least)
        with tempfile.TemporaryDirectory() as folder:
            code, output = support.shell(".bail on\n" + "".join(blocks) + "SELECT 'the end';\n",
                                         database=folder + "/page.db", cwd=folder)
        self.assertEqual(code, 0, output)
        self.assertTrue(output.endswith("the end\n"), output)
        self.assertNotIn("rror", output)

    def test_every_function_and_table_is_named(self):
        connection = support.connect()
        names = connection.execute(
            "SELECT name FROM pragma_function_list WHERE name LIKE 'personalize%' "
            "UNION SELECT name FROM pragma_module_list WHERE name LIKE 'personalize%'").fetchall()
        self.assertGreater(len(names), 20)
        aliases = {"personalize_recommend", "personalize_rank", "personalize_similar_items",
                   "personalize_batch_recommend"}
        missing = [name for name, in names if name not in aliases and name not in PAGE
                   and not name.startswith("personalize_check_")]
        self.assertEqual(missing, [])

    def test_every_hyperparameter_is_listed_with_its_default_and_range(self):
        rows = {}
        for line in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE):
            cells = line.split(" | ")
            if len(cells) == 5:
                rows.update({(recipe, cells[1]): cells[2:4] for recipe in cells[0].split(", ")})
        specs = support.connect().execute(
            "SELECT recipe, name, default_value, minimum, maximum "
            "FROM personalize_recipe_hyperparameters "
            "WHERE recipe NOT IN ('personalized-ranking', 'item-affinity', 'hrnn-metadata', 'user-personalization') "
            "AND (recipe <> 'hrnn-coldstart' OR name LIKE 'cold_start%')").fetchall()
        self.assertEqual({(recipe, name) for recipe, name, *_ in specs},
                         {key for key in rows if key[0] != "recipe"} - {("---", "---")})
        for recipe, name, default, minimum, maximum in specs:
            with self.subTest(recipe=recipe, name=name):
                self.assertEqual(rows[recipe, name][0], str(default))
                if minimum is not None:
                    low, high = map(float, rows[recipe, name][1].split(" to "))
                    self.assertEqual((low, high), (minimum, maximum))


if __name__ == "__main__":
    unittest.main()
