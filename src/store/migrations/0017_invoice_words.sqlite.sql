-- A list of three words and more is a table of its own to SQLite, opened and filled for every row that is checked: three
-- of them, with a page cache each, were half of an import. The same words one by one cost nothing. The rows stay as they
-- are, so the text of the table is replaced, as SQLite documents it for a constraint that is only written differently
-- (https://sqlite.org/lang_altertable.html, section 7). The schema's version stays as well: to a connection that is open
-- meanwhile the words mean the same. A change of what they mean would have to raise it.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(replace(sql,
        'CHECK (area IN (''urban'', ''rural'', ''island''))',
        'CHECK (area = ''urban'' OR area = ''rural'' OR area = ''island'')'),
        'CHECK (kind IN (''TD'', ''TC'', ''DV''))',
        'CHECK (kind = ''TD'' OR kind = ''TC'' OR kind = ''DV'')'),
        'CHECK (status IN (''open'', ''paid'', ''cancelled''))',
        'CHECK (status = ''open'' OR status = ''paid'' OR status = ''cancelled'')')
    WHERE type = 'table' AND name = 'invoices';
PRAGMA writable_schema = RESET;
