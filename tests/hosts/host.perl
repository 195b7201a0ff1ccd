# Perl's DBD::SQLite as a host (run.py): every value binds as TEXT.
use strict;
use warnings;
use DBI;

my ($extension, $setup, $questions) = @ARGV;
my $connection = DBI->connect("dbi:SQLite:dbname=test.db", "", "",
                              {RaiseError => 1, PrintError => 0, sqlite_allow_multiple_statements => 1});
$connection->sqlite_enable_load_extension(1);
$connection->sqlite_load_extension($extension);
open(my $setup_file, "<", $setup) or die "$setup: $!";
$connection->do(do { local $/; <$setup_file> });
open(my $question_file, "<", $questions) or die "$questions: $!";
while (my $line = <$question_file>) {
    chomp $line;
    my ($sql, @values) = split /\t/, $line;
    eval {
        my $statement = $connection->prepare($sql);
        $statement->execute(@values);
        if ($statement->{NUM_OF_FIELDS}) {
            while (my @row = $statement->fetchrow_array) {
                print join("|", map { defined $_ ? $_ : "" } @row), "\n";
            }
        }
        1;
    } or print $connection->errstr, "\n";
}
