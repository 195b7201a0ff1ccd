# Tcl's sqlite3 as a host (run.py): a connection without a mutex.
package require sqlite3

lassign $argv extension setup questions
sqlite3 connection test.db
connection enable_load_extension 1
connection eval {SELECT load_extension($extension)}
set file [open $setup]
connection eval [read $file]
close $file
set file [open $questions]
while {[gets $file line] >= 0} {
  set values [lassign [split $line "\t"] sql]
  # Tcl binds variables by name: ? becomes $value0, $value1, ...
  set number 0
  foreach value $values {
    set value$number [expr {int($value)}]
    set place [string first ? $sql]
    set sql [string replace $sql $place $place "\$value$number"]
    incr number
  }
  if {[catch {
    connection eval $sql row {
      puts [join [lmap column $row(*) {set row($column)}] |]
    }
  } message]} {
    puts $message
  }
}
connection close
