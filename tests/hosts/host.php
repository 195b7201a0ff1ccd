<?php
// PHP's SQLite3 as a host (run.py): defensive, extensions come from one folder only.
[, $extension, $setup, $questions] = $argv;
$connection = new SQLite3('test.db');
$connection->enableExceptions(true);
$connection->loadExtension(basename($extension));
$connection->exec(file_get_contents($setup));
foreach (file($questions, FILE_IGNORE_NEW_LINES) as $line) {
    $values = explode("\t", $line);
    $sql = array_shift($values);
    try {
        $statement = $connection->prepare($sql);
        foreach ($values as $place => $value) {
            $statement->bindValue($place + 1, (int)$value);
        }
        $result = $statement->execute();
        while ($result->numColumns() && ($row = $result->fetchArray(SQLITE3_NUM))) {
            echo implode('|', array_map(fn($value) => $value ?? '', $row)), "\n";
        }
    } catch (Exception $error) {
        echo preg_replace('/^Unable to [a-z ]+: (\d+, )?/', '', $error->getMessage()), "\n";
    }
}
